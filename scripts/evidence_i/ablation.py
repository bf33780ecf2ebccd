"""What each part of learning from distinctive candidates does, on the measured spaces."""

from evidence_i import bakeoff

TITLE = "Ablations"
TIMED = False

METHODS = ("annealing", "distinct", "distinct:mutations=1", "distinct:mutations=2",
           "distinct:mutations=8", "distinct:pool=score", "distinct:distance=steps",
           "distinct:apart=0", "distinct:apart=1", "distinct:apart=3", "distinct:thin-ratio=4",
           "annealing-filter")


def run(place):
    return {"rows": bakeoff.replay(place, place.work / "ablation", METHODS, ("64", "16"))}


def page(figures):
    return ("`mutations`: children of a parent in each step (4); `pool=score`: the best predicted of the "
            "pool instead of the most distinctive; `distance=steps`: places in the lists of values; "
            "`apart`: knobs in which two candidates of a batch differ at least (2), 0: no thinning; "
            "`thin-ratio`: plans of predictions that the thinning chooses from (2).\n"
            + "".join(bakeoff.tables_of(figures["rows"], plan) for plan in ("64", "16")))
