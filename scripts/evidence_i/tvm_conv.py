"""Tunes one convolution with Apache TVM's MetaSchedule, and times the best program. Run by the Python of
an environment that has TVM. usage: tvm_conv.py SHAPE TRIALS KERNEL.so tune|time; prints JSON.

u8 x s8 to u8 with a bias and a scale per channel; weights as its rule for vpdpbusd wants them, 16
output channels of 4 input channels; packing them is not timed."""

import json
import sys
from pathlib import Path

import numpy
import tvm
from tvm import te, tirx
from tvm.s_tir import meta_schedule

TARGET = tvm.target.Target({"kind": "llvm", "mcpu": "znver4", "num-cores": 1})


def sizes(text):
    n, c, h, w, k, r, s, stride, pad = (int(size) for size in text.split(","))
    return n, c, h, w, k, r, s, stride, pad, (h + 2 * pad - r) // stride + 1, (w + 2 * pad - s) // stride + 1


def convolution(text):
    n, c, h, w, k, r, s, stride, pad, out_h, out_w = sizes(text)
    depth = (c + 3) // 4
    data = te.placeholder((n, h, w, 4 * depth), "uint8", name="data")
    weight = te.placeholder((k // 16, r, s, depth, 16, 4), "int8", name="weight")
    bias = te.placeholder((k,), "int32", name="bias")
    scale = te.placeholder((k,), "float32", name="scale")
    padded = data if pad == 0 else te.compute(
        (n, h + 2 * pad, w + 2 * pad, 4 * depth),
        lambda b, y, x, i: te.if_then_else(
            tirx.all(y >= pad, y < h + pad, x >= pad, x < w + pad), data[b, y - pad, x - pad, i],
            tirx.const(0, "uint8")), name="padded")
    row, column = te.reduce_axis((0, r), "row"), te.reduce_axis((0, s), "column")
    outer, inner = te.reduce_axis((0, depth), "outer"), te.reduce_axis((0, 4), "inner")
    total = te.compute(
        (n, k // 16, out_h, out_w, 16),
        lambda b, o, y, x, i: te.sum(
            padded[b, y * stride + row, x * stride + column, outer * 4 + inner].astype("int32")
            * weight[o, row, column, outer, i, inner].astype("int32"),
            axis=[row, column, outer, inner]), name="total")
    result = te.compute(
        (n, out_h, out_w, k),
        lambda b, y, x, o: te.min(te.max(te.round(
            (total[b, o // 16, y, x, o % 16] + bias[o]).astype("float32") * scale[o]),
            tirx.const(0, "float32")), tirx.const(255, "float32")).astype("uint8"), name="result")
    return te.create_prim_func([data, weight, bias, scale, result])


def tune(text, trials, kernel):
    function = convolution(text)
    database = meta_schedule.tune_tir(
        function, TARGET, str(Path(kernel).with_suffix(".work")), max_trials_global=trials,
        num_trials_per_iter=64, num_tuning_cores=1, seed=1)
    schedule = meta_schedule.tir_integration.compile_tir(database, function, TARGET)
    module = schedule.mod if hasattr(schedule, "mod") else schedule
    tvm.compile(module, target=TARGET).export_library(kernel)
    return {"vpdpbusd": "vpdpbusd" in str(module), "trials": trials, "version": tvm.__version__}


def arrays(text):
    n, c, h, w, k, r, s, _, _, out_h, out_w = sizes(text)
    random, depth = numpy.random.default_rng(1), (c + 3) // 4
    return [random.integers(0, 256, (n, h, w, 4 * depth)).astype("uint8"),
            random.integers(-128, 128, (k // 16, r, s, depth, 16, 4)).astype("int8"),
            random.integers(-1000, 1000, (k,)).astype("int32"),
            numpy.full((k,), 1e-3, "float32"), numpy.zeros((n, out_h, out_w, k), "uint8")]


def expected(text, data, weight, bias, scale):
    n, _, h, w, k, r, s, stride, pad, out_h, out_w = sizes(text)
    padded = numpy.zeros((n, h + 2 * pad, w + 2 * pad, data.shape[3]), "float64")
    padded[:, pad:pad + h, pad:pad + w] = data
    plain = weight.transpose(0, 4, 1, 2, 3, 5).reshape(k, r, s, -1).astype("float64")
    total = numpy.zeros((n, out_h, out_w, k))
    for y in range(r):
        for x in range(s):
            part = padded[:, y:y + stride * out_h:stride, x:x + stride * out_w:stride]
            total += part @ plain[:, y, x].T
    return numpy.clip(numpy.rint((total + bias) * scale.astype("float64")), 0, 255)


def timed(text, kernel):
    module = tvm.runtime.load_module(kernel)
    given = arrays(text)
    tensors = [tvm.runtime.tensor(array, tvm.cpu()) for array in given]
    module["main"](*tensors)
    difference = numpy.abs(tensors[-1].numpy().astype("int64") - expected(text, *given[:4])).max()
    evaluator = module.time_evaluator("main", tvm.cpu(), number=1, repeat=31, min_repeat_ms=2)
    times = numpy.array(evaluator(*tensors).results)
    return {"median_s": float(numpy.median(times)), "best_s": float(times.min()),
            "largest_difference": int(difference)}


if __name__ == "__main__":
    SHAPE, TRIALS, KERNEL, WHAT = sys.argv[1:]
    print(json.dumps(tune(SHAPE, int(TRIALS), KERNEL) if WHAT == "tune" else timed(SHAPE, KERNEL)))
