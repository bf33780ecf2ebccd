"""Predicted and measured decode steps: calibrate, predict all cells, write the predictions down,
then measure."""

import hashlib
import json
import statistics
import subprocess
import time
from pathlib import Path

TITLE = "Predictions of a measured machine"
TIMED = True

MODELS = ("llama-3.2-1b", "qwen2.5-0.5b")
DEPTHS = {"4K": 4096, "16K": 16384, "32K": 32768, "64K": 65536, "128K": 131072}
# Options of simulate, and of bench decode where they are not its defaults.
SELECTING = ["--page-size", "64", "--budget", "4096", "--sink-pages", "1", "--recent-pages", "2",
             "--dense-layers", "2"]
POLICIES = {"dense": [], "pnm-kv": SELECTING, "recall": SELECTING}
RUNS = 3
GOAL = 0.15


def output_of(command):
    run = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        lines = (run.stderr.strip() or "it gave no reason").splitlines()
        raise RuntimeError(f"memside {command[1]}: {lines[-1]}")
    return run.stdout


def cells():
    return [(model, policy, depth) for model in MODELS for depth in DEPTHS for policy in POLICIES]


def name_of(cell):
    return "_".join(cell)


def model_file(place, folder, model):
    path = folder / f"{model}.gguf"
    if not path.is_file():
        place.log(f"random weights of {model}")
        output_of([place.memside, "make-model", "--shape", model, "--type", "q8_0", "--seed", "1",
                   "-o", path])
    return path


def predict(place, folder, system, cell):
    model, policy, depth = cell
    command = [place.memside, "simulate", "--model", model_file(place, folder, model), "--system",
               system, "--policy", policy, "--context", depth, *POLICIES[policy]]
    if policy != "dense":
        command += ["--scores", "random-keys", "--warmup", "8", "--steps", "16",
                    "--select-sample", "16"]
    result = json.loads(output_of([*command, "--json", "-"]))
    return {"tpot_s": result["tpot_s"],
            "phases": {phase["name"]: phase["time_s"] for phase in result["phases"]},
            "pages_recalled_per_step": result["pages_recalled_per_step"]}


def constants_of(system):
    """What the page shows of the description: rates with their spread."""
    shown = {}
    role = ""
    for line in Path(system).read_text(encoding="utf-8").splitlines():
        word = line.strip().split(":")[0]
        if word in ("cpu", "cpu_single"):
            role = word
        if word in ("stream_rate", "gather_16k", "matmul_memory_q8_0", "attention_overlap",
                    "scan_f16", "copy_16k") and "value:" in line:
            value = line.split("value: ")[1].split(", source")[0]
            spread = line.split("spread ")[1].split('"')[0] if "spread " in line else ""
            shown[f"{role}.{word}"] = [value, spread]
    return shown


def predictions(place, folder):
    """All predictions, made once: a rerun measures against the same ones."""
    path = folder / "predictions.json"
    if not path.is_file():
        system = folder / "this-cpu.yaml"
        place.log("calibrating")
        output_of([place.memside, "calibrate", "-o", system])
        made = {name_of(cell): predict(place, folder, system, cell) for cell in cells()}
        text = json.dumps({"made_at": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
                           "system_sha256": hashlib.sha256(system.read_bytes()).hexdigest(),
                           "constants": constants_of(system), "cells": made}, indent=1)
        path.write_text(text, encoding="utf-8")
        place.log("predictions are written")
    data = path.read_bytes()
    return json.loads(data), hashlib.sha256(data).hexdigest()


def measure(place, folder, cell, run):
    path = folder / f"measured_{name_of(cell)}_{run}.json"
    if not path.is_file():
        model, policy, depth = cell
        place.log(f"{model} {policy} {depth}, run {run + 1} of {RUNS}")
        # The model scores the mean of the heads that share a page set; minmax is its default.
        options = [*SELECTING, "--digest", "minmax", "--group-score", "mean"] if policy != "dense" else []
        output_of([place.memside, "bench", "decode", "--model", model_file(place, folder, model),
                   "--depth", depth, "--fill", "random", "--policy", policy, *options, "--json",
                   path])
    return json.loads(path.read_text(encoding="utf-8"))


def run(place):
    folder = Path(place.work) / "fidelity"
    folder.mkdir(parents=True, exist_ok=True)
    predicted, digest = predictions(place, folder)
    begun = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    runs = {name_of(cell): [] for cell in cells()}
    # All cells once, then again: what disturbs the machine disturbs one run of some cells.
    for turn in range(RUNS):
        for cell in cells():
            runs[name_of(cell)].append(measure(place, folder, cell, turn))
    after = folder / "this-cpu-after.yaml"
    if not after.is_file():
        output_of([place.memside, "calibrate", "-o", after])
    rows = []
    for cell in cells():
        own = runs[name_of(cell)]
        steps = sorted(one["step_s_p50"] for one in own)
        measured = statistics.median(steps)
        guess = predicted["cells"][name_of(cell)]
        share = {key: statistics.median(one["time_share"].get(key, 0.0) for one in own)
                 for key in ("scoring", "attention", "fc")}
        rows.append({"model": cell[0], "policy": cell[1], "depth": cell[2],
                     "predicted_s": guess["tpot_s"], "measured_s": measured,
                     "spread": (steps[-1] - steps[0]) / 2.0 / measured,
                     "ratio": guess["tpot_s"] / measured, "phases_s": guess["phases"],
                     "measured_share": share,
                     "recalled": [guess["pages_recalled_per_step"],
                                  own[0].get("pages_recalled_per_step")]})
    worst = max(rows, key=lambda row: abs(row["ratio"] - 1.0))
    return {"predictions_sha256": digest, "predictions_made_at": predicted["made_at"],
            "measuring_begun_at": begun, "constants": predicted["constants"],
            "constants_after": constants_of(after), "rows": rows, "worst": worst,
            "within": sum(abs(row["ratio"] - 1.0) <= GOAL for row in rows), "goal": GOAL,
            "runs": RUNS}


def page(result):
    lines = [
        f"Constants were measured by `memside calibrate`, which decodes nothing. All predictions "
        f"(modelled) were written at {result['predictions_made_at']} UTC (SHA-256 "
        f"`{result['predictions_sha256'][:16]}`), measuring with `bench decode --fill random` began "
        f"at {result['measuring_begun_at']} UTC; measured figures are medians of {result['runs']} "
        f"interleaved runs. Selecting policies: budget 4,096, pages of 64, first two layers dense, "
        f"page counts from `--scores random-keys` (assumed: independent queries).",
        "",
        f"**{result['within']} of {len(result['rows'])} cells are within "
        f"{100 * result['goal']:.0f} %**; the worst is {result['worst']['model']}, "
        f"{result['worst']['policy']} at {result['worst']['depth']}: "
        f"{result['worst']['ratio']:.2f}.",
        "",
        "| model | depth | policy | predicted | measured | +- | predicted / measured | pages "
        "recalled: predicted, measured |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        recalled = "" if row["policy"] != "recall" else \
            f"{row['recalled'][0]:.1f}, {row['recalled'][1]:.1f}"
        miss = "" if abs(row["ratio"] - 1.0) <= result["goal"] else " (missed)"
        lines.append(f"| {row['model']} | {row['depth']} | {row['policy']} "
                     f"| {1e3 * row['predicted_s']:.1f} ms | {1e3 * row['measured_s']:.1f} ms "
                     f"| {100 * row['spread']:.0f} % | {row['ratio']:.2f}{miss} | {recalled} |")
    lines += ["", "Constants before and after the measurements, with their spread over turns:", "",
              "| constant | before | after |", "|---|---|---|"]
    for key, (value, spread) in result["constants"].items():
        later, later_spread = result["constants_after"].get(key, ["", ""])
        lines.append(f"| {key} | {value} ({spread}) | {later} ({later_spread}) |")
    return "\n".join(lines) + "\n"
