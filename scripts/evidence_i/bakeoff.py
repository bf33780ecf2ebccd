"""Methods of search replayed on the measured spaces."""

import csv
import json
import math
import shutil
import subprocess

from evidence_driver import page_table as table
from evidence_i import truth

TITLE = "The bake-off"
TIMED = False

SEEDS = 20
PLANS = ("64", "16")
COUNTED = 128  # annealing's median to 99 % from which a space counts


def replay(place, out, methods, plans):
    """The rows of summary.csv."""
    figures = truth.run(place)
    command = [str(place.memside), "tune", "bakeoff", "--seeds", str(SEEDS), "--noise",
               f"{truth.noise(figures):.4f}", "--out", str(out)]
    for name in figures:
        command += ["--truth", str(truth.unpacked(place, name))]
    for plan in plans:
        command += ["--plan", plan]
    for method in methods:
        command += ["--methods", method]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(out / "summary.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run(place):
    out = place.work / "bakeoff"
    rows = replay(place, out, [], PLANS)
    shutil.copy(out / "report.html", place.work / "bakeoff.html")
    return {"rows": rows, "json": json.loads((out / "bakeoff.json").read_text(encoding="utf-8"))}


def median(row, level):
    value = row[f"trials_to_{level}_median"]
    return float(value) if value else math.inf


def compared(rows, plan, base="annealing"):
    """By method: the geometric mean of its median trials to 99 % over the base's, on the spaces that
    count and on all."""
    mine = [row for row in rows if row["plan"] == plan]
    of_base = {row["truth"]: median(row, 99) for row in mine if row["method"] == base}
    counted = [space for space, trials in of_base.items() if trials >= COUNTED]
    result = {}
    for method in dict.fromkeys(row["method"] for row in mine):
        shares = {row["truth"]: median(row, 99) / of_base[row["truth"]] for row in mine
                  if row["method"] == method}
        result[method] = {
            "counted": mean([shares[space] for space in counted]), "all": mean(list(shares.values()))}
    return counted, result


def mean(values):
    if not values:
        return None
    return math.exp(sum(math.log(value) for value in values) / len(values))


def share(value):
    return "-" if value is None else f"{value:.2f}"


def tables_of(rows, plan):
    mine = [row for row in rows if row["plan"] == plan]
    spaces = list(dict.fromkeys(row["truth"] for row in mine))
    methods = list(dict.fromkeys(row["method"] for row in mine))
    text = f"\nPlan {plan}; trials to 95 / 99 / 100 % of the best speed, medians of {SEEDS} seeds, " \
           "quartiles to 99 % in brackets:\n\n"
    cells = {(row["truth"], row["method"]): row for row in mine}

    def cell(row):
        return (f"{row['trials_to_95_median']} / {row['trials_to_99_median']} ({row['trials_to_99_low']} to "
                f"{row['trials_to_99_high']}) / {row['trials_to_100_median']}")
    text += table(["method", *spaces],
                  [[f"`{method}`", *[cell(cells[space, method]) for space in spaces]]
                   for method in methods])
    counted, result = compared(rows, plan)
    text += (f"\nTrials to 99 % over annealing's, geometric mean; annealing needs at least {COUNTED} on: "
             f"{', '.join(counted) or 'none of the spaces'}.\n\n")
    text += table(["method", "spaces that count", "all spaces"],
                  [[f"`{method}`", share(of["counted"]), share(of["all"])]
                   for method, of in result.items()])
    return text


def page(figures):
    return "".join(tables_of(figures["rows"], plan) for plan in PLANS)
