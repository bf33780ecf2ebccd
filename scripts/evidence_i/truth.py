"""Whole spaces measured: the truth that the bake-off replays. The layers stand in layers.csv, which was
committed before any search on them."""

import csv
import lzma
import statistics
import subprocess
from pathlib import Path

from evidence_driver import page_table as table

TITLE = "Measured spaces"
TIMED = True

ROUNDS, BEST, BEST_ROUNDS = 3, 20, 10
SAMPLING = ["--samples", "3", "--sample-ms", "1"]
# Kept with the sources: what was measured once is replayed everywhere.
TABLES = "data/truth"


def layers():
    with open(Path(__file__).parent / "layers.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table_of(tree, name):
    return tree / TABLES / f"{name}.csv.xz"


def unpacked(place, name):
    """The table of a layer as the bake-off reads it."""
    path = place.work / f"{name}.csv"
    if not path.exists():
        path.write_bytes(lzma.decompress(table_of(place.tree, name).read_bytes()))
    return path


def measure(place, layer):
    kept = table_of(place.tree, layer["name"])
    if kept.exists():
        return
    place.log(f"truth: {layer['name']}")
    path = place.work / f"{layer['name']}.csv"
    subprocess.run([str(place.memside), "tune", "truth", "--shape", layer["shape"], "--target",
                    "x86-vnni", "--rounds", str(ROUNDS), "--best", str(BEST), "--best-rounds",
                    str(BEST_ROUNDS), *SAMPLING, "--db", str(place.work / "truth.sqlite"), "--out",
                    str(path)], check=True, stdout=subprocess.DEVNULL)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(lzma.compress(path.read_bytes(), preset=9))


def figures_of(place, layer):
    with open(unpacked(place, layer["name"]), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    good = [row for row in rows if row["time_ns"]]
    times = sorted(float(row["time_ns"]) for row in good)
    nearest = sorted(good, key=lambda row: float(row["time_ns"]))[:BEST]
    return {"points": len(rows), "failed": len(rows) - len(good), "best_us": times[0] / 1e3,
            "median_us": statistics.median(times) / 1e3,
            "within": sum(1 for time in times if times[0] >= 0.99 * time),
            "spread": statistics.median(float(row["spread"]) for row in nearest)}


def run(place):
    for layer in layers():
        measure(place, layer)
    return {layer["name"]: {"shape": layer["shape"], **figures_of(place, layer)} for layer in layers()}


def noise(figures):
    """Times this close to the best are ties: the spread of the 20 fastest, which were measured
    13 times; the median over the spaces."""
    return statistics.median(of["spread"] for of in figures.values())


def page(figures):
    return (f"Every distinct valid program of each layer, compiled, compared with the reference and "
            f"timed in {ROUNDS} interleaved rounds, the {BEST} fastest in {BEST_ROUNDS} more; medians. "
            f"Tables: `{TABLES}`. The spread is half the distance of the quartiles, of the {BEST} "
            f"fastest, the median: times within {100 * noise(figures):.1f} % of the best are ties.\n\n"
            + table(["layer", "N,C,H,W,K,R,S,stride,pad", "programs", "failed", "best, us",
                     "median, us", "within 1 % of the best", "spread"],
                    [[name, of["shape"], of["points"], of["failed"], f"{of['best_us']:.1f}",
                      f"{of['median_us']:.1f}", of["within"], f"{100 * of['spread']:.2f} %"]
                     for name, of in figures.items()]))
