"""The layers of the bake-off tuned by Apache TVM's MetaSchedule and by us, as many trials for both, then
timed in turn."""

import json
import statistics
import subprocess
import sys

from evidence_driver import page_table as table
from evidence_i import truth

TITLE = "Beside Apache TVM"
TIMED = True

TRIALS = 192
TURNS = 5
# A later tvm-ffi than the release was built with crashes on its first call.
PACKAGES = ["apache-tvm==0.27.0.post1", "apache-tvm-ffi==0.1.14.post0", "xgboost", "psutil",
            "cloudpickle"]


def python(place):
    path = place.work / "environment/bin/python"
    if not (place.work / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place.work / "environment")], check=True)
        subprocess.run([str(path), "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (place.work / "installed").touch()
    return path


def tvm(place, layer, what):
    kernel = place.work / f"{layer['name']}.so"
    done = subprocess.run([str(python(place)), str(place.tree / "scripts/evidence_i/tvm_conv.py"),
                           layer["shape"], str(TRIALS), str(kernel), what], capture_output=True,
                          text=True, check=True, env={**place.environment, "TVM_NUM_THREADS": "1"})
    return json.loads(done.stdout.strip().splitlines()[-1])


def ours(place, layer):
    """Tuned, as `memside tune network` would write it, for the bench."""
    kept = place.work / f"{layer['name']}-ours.json"
    if not kept.exists():
        done = subprocess.run([str(place.memside), "tune", "conv", "--shape", layer["shape"], "--target",
                               "x86-vnni", "--trials", str(TRIALS), "--db",
                               str(place.work / "tuned.sqlite"), "--resume", "--json", "-"], check=True,
                              capture_output=True, text=True)
        best = json.loads(done.stdout)["best_config"]
        kept.write_text(json.dumps({"layers": [{**layer, "best_config": best}]}), encoding="utf-8")
    return kept


def our_gops(place, layer):
    out = place.work / "turn.json"
    subprocess.run([str(place.tree / "build/release/bench_conv_speed"), "--tuned",
                    str(ours(place, layer)), "--json", str(out)], check=True,
                   stdout=subprocess.DEVNULL)
    return json.loads(out.read_text(encoding="utf-8"))["layers"][0]["gops"]


def operations(shape):
    n, c, h, w, k, r, s, stride, pad = (int(size) for size in shape.split(","))
    out = ((h + 2 * pad - r) // stride + 1) * ((w + 2 * pad - s) // stride + 1)
    return 2 * n * out * k * c * r * s


def run(place):
    figures = {}
    for layer in truth.layers():
        kept = place.work / f"{layer['name']}-tvm.json"
        if not kept.exists():
            place.log(f"tvm: {layer['name']}")
            kept.write_text(json.dumps(tvm(place, layer, "tune")), encoding="utf-8")
        of = json.loads(kept.read_text(encoding="utf-8"))
        turns = []
        for _ in range(TURNS):
            timed = tvm(place, layer, "time")
            theirs = operations(layer["shape"]) / timed["median_s"] / 1e9
            turns.append({"tvm": theirs, "ours": our_gops(place, layer),
                          "difference": timed["largest_difference"]})
        figures[layer["name"]] = {"shape": layer["shape"], **of, "turns": turns}
    return figures


def page(figures):
    version = next(iter(figures.values()))["version"]
    return (f"TVM {version} from the package index, MetaSchedule's evolutionary search with its default "
            f"rules for vpdpbusd, {TRIALS} trials a layer, one thread; ours by learning from distinctive "
            f"candidates, as many. Then both in {TURNS} turns; medians. The stem's 3 channels are 4 "
            "there.\n\n"
            + table(["layer", "N,C,H,W,K,R,S,stride,pad", "TVM GOPS", "its program has vpdpbusd",
                     "ours GOPS", "ratio"],
                    [[name, of["shape"], f"{middle(of, 'tvm'):.0f}", "yes" if of["vpdpbusd"] else "no",
                      f"{middle(of, 'ours'):.0f}",
                      f"{statistics.median(turn['ours'] / turn['tvm'] for turn in of['turns']):.2f}"]
                     for name, of in figures.items()]))


def middle(of, whose):
    return statistics.median(turn[whose] for turn in of["turns"])
