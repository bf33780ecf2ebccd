#!/usr/bin/env python3
"""Times llama.cpp where memside bench times us; prints one line of JSON.
usage: measure_llama_cpp.py decode MODEL.gguf DEPTH THREADS
       measure_llama_cpp.py attention HEAD_DIM TOKENS THREADS f16|q8_0

decode: tokens per second behind DEPTH tokens, its defaults (flash attention, f16 cache). A prompt of
that length would take hours, so the cache is filled with copies of the state of a short one, their
positions moved on: what they say means nothing, what they cost is the same.
attention: one query token, 32 query and 8 KV heads, of one layer, by ggml's kernel on its own, over as
many distinct layers as 512 MiB hold."""

import ctypes
import json
import sys
import time

import numpy as np

HEADS, KV_HEADS = 32, 8
CHUNK = 256  # tokens of the copied state


def median_seconds(run, repetitions):
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), len(seconds)


def fill(model, depth):
    """Puts `depth` tokens, whole chunks, into sequence 0."""
    import llama_cpp as c
    model.feed([i * 7 % 256 for i in range(CHUNK)], 0, 1)
    size = c.llama_state_seq_get_size(model.context, 1)
    state = (ctypes.c_uint8 * size)()
    if c.llama_state_seq_get_data(model.context, state, size, 1) != size:
        raise SystemExit("llama.cpp gave no state")
    # What comes first: a magic number, the sequence, one stream, its cells; then each cell's position,
    # number of sequences and sequence.
    head = np.frombuffer(state, dtype="<u4", count=4)
    cells = np.frombuffer(state, dtype="<i4", count=3 * CHUNK, offset=16).reshape(CHUNK, 3)
    if list(head[2:]) != [1, CHUNK] or (cells[:, 0] != range(CHUNK)).any() or (cells[:, 1] != 1).any():
        raise SystemExit("this llama.cpp lays its state out in another way")
    for first in range(0, depth, CHUNK):
        cells[:, 0] = np.arange(first, first + CHUNK)
        if c.llama_state_seq_set_data(model.context, state, size, 1) == 0:
            raise SystemExit("llama.cpp did not take the state")
        c.llama_memory_seq_cp(model.memory, 1, 0, -1, -1)
    c.llama_memory_seq_rm(model.memory, 1, -1, -1)
    if c.llama_memory_seq_pos_max(model.memory, 0) != depth - 1:
        raise SystemExit("the cache does not hold what was put there")


def decode(path, depth, threads):
    import llama_model
    steps = 4 if depth > 65536 else 16
    model = llama_model.Model(path, depth + 2 * CHUNK, flash=True, threads=threads,
                              micro_batch=CHUNK, sequences=2)
    if depth > 0:
        fill(model, depth)
    position = depth

    def step():
        nonlocal position
        model.feed([position % 256], position)
        position += 1

    step()  # the first one also sets up its graph
    seconds, count = median_seconds(step, steps)
    model.close()
    return {"peer": llama_model.VERSION, "depth": depth, "threads": threads,
            "decode_tok_per_s": 1.0 / seconds, "steps": count, "kv": "f16", "flash_attention": True}


class InitParameters(ctypes.Structure):
    _fields_ = [("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p),
                ("no_alloc", ctypes.c_bool)]


def ggml_libraries():
    import llama_model
    folder = llama_model.library_folder()
    base = ctypes.CDLL(str(folder / "libggml-base.so"))
    cpu = ctypes.CDLL(str(folder / "libggml-cpu.so"))
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    base.ggml_init.argtypes, base.ggml_init.restype = [InitParameters], pointer
    base.ggml_new_tensor_3d.argtypes = [pointer, ctypes.c_int, count, count, count]
    base.ggml_view_3d.argtypes = [pointer, pointer, count, count, count] + [ctypes.c_size_t] * 3
    base.ggml_flash_attn_ext.argtypes = [pointer] * 5 + [ctypes.c_float] * 3
    base.ggml_new_graph.argtypes = base.ggml_free.argtypes = [pointer]
    base.ggml_build_forward_expand.argtypes = [pointer, pointer]
    base.ggml_get_data.argtypes = base.ggml_nbytes.argtypes = [pointer]
    base.ggml_nbytes.restype = ctypes.c_size_t
    base.ggml_row_size.argtypes, base.ggml_row_size.restype = [ctypes.c_int, count], ctypes.c_size_t
    for name in ("ggml_new_tensor_3d", "ggml_view_3d", "ggml_flash_attn_ext", "ggml_new_graph",
                 "ggml_get_data"):
        getattr(base, name).restype = pointer
    cpu.ggml_graph_compute_with_ctx.argtypes = [pointer, pointer, ctypes.c_int]
    return base, cpu


def attention(head_dim, tokens, threads, kv_type):
    import llama_model
    base, cpu = ggml_libraries()
    cpu.ggml_cpu_init()
    f32, f16 = 0, 1
    stored = {"f16": f16, "q8_0": 8}[kv_type]
    row = base.ggml_row_size(stored, head_dim)
    layer_bytes = 2 * tokens * KV_HEADS * row
    layers = max(1, -(-(512 << 20) // layer_bytes))
    room = layers * (layer_bytes + (1 << 20)) + 2 * tokens + (64 << 20)
    context = base.ggml_init(InitParameters(room, None, False))
    random = np.random.default_rng(1)

    def bytes_of(tensor):
        data = base.ggml_get_data(tensor)
        return np.ctypeslib.as_array(ctypes.cast(data, ctypes.POINTER(ctypes.c_uint8)),
                                     shape=(base.ggml_nbytes(tensor),))

    def cache():
        # As llama.cpp lays it out: a row holds all heads of a token.
        tensor = base.ggml_new_tensor_3d(context, stored, head_dim * KV_HEADS, tokens, 1)
        data = bytes_of(tensor)
        if stored == f16:
            pattern = random.standard_normal(1 << 20).astype(np.float16).view(np.uint8)
        else:
            blocks = random.integers(0, 256, size=(1 << 16, 34), dtype=np.uint8)
            blocks[:, :2] = np.full(1 << 16, 0.01, np.float16).view(np.uint8).reshape(-1, 2)
            pattern = blocks.reshape(-1)
        for first in range(0, len(data), len(pattern)):
            part = data[first:first + len(pattern)]
            part[:] = pattern[:len(part)]
        return base.ggml_view_3d(context, tensor, head_dim, tokens, KV_HEADS, row * KV_HEADS, row, 0)

    query = base.ggml_new_tensor_3d(context, f32, head_dim, 1, HEADS)
    bytes_of(query).view(np.float32)[:] = random.standard_normal(head_dim * HEADS)
    mask = base.ggml_new_tensor_3d(context, f16, tokens, 1, 1)
    bytes_of(mask)[:] = 0
    graphs = []
    for _ in range(layers):
        graph = base.ggml_new_graph(context)
        base.ggml_build_forward_expand(graph, base.ggml_flash_attn_ext(
            context, query, cache(), cache(), mask, head_dim ** -0.5, 0.0, 0.0))
        graphs.append(graph)
    turn = 0

    def run():
        nonlocal turn
        # Scratch memory of a context is given back with the context only.
        work = base.ggml_init(InitParameters(64 << 20, None, False))
        cpu.ggml_graph_compute_with_ctx(work, graphs[turn % layers], threads)
        base.ggml_free(work)
        turn += 1

    run()
    seconds, count = median_seconds(run, max(layers, 5))
    return {"peer": llama_model.VERSION, "head_dim": head_dim, "tokens": tokens, "threads": threads,
            "kv": kv_type, "milliseconds": 1e3 * seconds, "layers": layers, "repetitions": count}


def main(arguments):
    if len(arguments) == 4 and arguments[0] == "decode":
        result = decode(arguments[1], int(arguments[2]), int(arguments[3]))
    elif len(arguments) == 5 and arguments[0] == "attention":
        result = attention(*map(int, arguments[1:4]), arguments[4])
    else:
        print("usage:" + __doc__.split("usage:")[1].split("\n\n")[0], file=sys.stderr)
        return 2
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
