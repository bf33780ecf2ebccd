"""Page scores recorded from Gemma 3 270M on real text, their statistics, and the synthetic source
fitted to them. Every recording and every fit is kept, so that a rerun goes on."""

import json
import subprocess
from pathlib import Path

from evidence_driver import bible, page_table as table, real_model

TITLE = "Recorded page scores, and synthetic ones fitted to them"
TIMED = False

MODEL = "gemma3-270m"
CONTEXTS = (8192, 16384, 32768)
STEPS = 512
PAGE = 32
# Where the two texts begin in the Bible: what is fitted, and what the fit is judged by.
TEXTS = {"genesis": 0, "psalms": 2_000_000}
BYTES = 1_000_000  # enough for the longest context


def run_memside(place, arguments):
    subprocess.run([str(place.memside), *map(str, arguments)], check=True,
                   stdout=subprocess.DEVNULL)


def recording(place, model, context, name):
    """The last STEPS tokens of the text are decode steps; the first of them has `context` tokens."""
    path = Path(place.work) / f"{context}.{name}.scores"
    if not path.exists():
        place.log(f"traces: {name} at {context}")
        run_memside(place, ["run", "--model", model, "--prompt-file", bible(place.work, name, TEXTS[name], BYTES),
                            "--prompt-tokens", context - 1 + STEPS, "--prompt-steps", STEPS,
                            "--max-tokens", 1, "--page-size", PAGE, "--digest", "centre-std",
                            "--group-score", "max", "--record-scores", path,
                            "--json", path.with_suffix(".run.json")])
    return path


def result_of(place, arguments, kept):
    if not kept.exists():
        partial = kept.with_suffix(".part")
        run_memside(place, [*arguments, "--json", partial])
        partial.rename(kept)
    return json.loads(kept.read_text(encoding="utf-8"))


def simulated(place, model, context, name, scores):
    """Recalls of a simulation over the scores: the file is read end to end by its reader."""
    return result_of(place, ["simulate", "--model", model, "--system", "a100x1-pnm1", "--policy",
                             "png-kv", "--context", context, "--batch", 1, "--budget", context // 4,
                             "--steps", STEPS // 2, "--warmup", 8, "--page-size", PAGE, *scores],
                     Path(place.work) / f"{context}.{name}.simulate.json")


def run(place):
    model = real_model(place.tree, MODEL)
    result = {"page_size_tokens": PAGE, "steps": STEPS, "contexts": []}
    for context in CONTEXTS:
        paths = {name: recording(place, model, context, name) for name in TEXTS}
        one = {"context_tokens": context}
        for name, path in paths.items():
            one[name] = result_of(place, ["scores", "describe", path],
                                  Path(place.work) / f"{context}.{name}.describe.json")
        seen, other = paths.values()
        one["fit"] = result_of(place, ["scores", "fit", seen, "--check", other],
                               Path(place.work) / f"{context}.fit.json")
        ways = {"recorded": ["--scores", seen], "fitted": one["fit"]["set"].split(), "assumed": []}
        one["simulated"] = {}
        for name, scores in ways.items():
            found = simulated(place, model, context, name, scores)
            one["simulated"][name] = {key: found[key] for key in (
                "pages_selected_per_step", "pages_recalled_per_step")}
        result["contexts"].append(one)
    return result


def statistics_rows(context, described):
    streams = [(f"{s['layer']}", s) for s in described["by_stream"]] + [("mean", described["mean"])]
    for name, stream in streams:
        for budget in stream["budgets"]:
            yield [f"{context // 1024}K", name, str(budget["budget_pages"]),
                   f"{100 * budget['drop_out_rate']:.1f} %", f"{100 * budget['steady_share']:.0f} %",
                   f"{100 * budget['overlap']:.0f} %", f"{100 * budget['outlives_1']:.0f} %",
                   f"{100 * budget['outlives_4']:.0f} %", f"{100 * budget['outlives_16']:.1f} %",
                   f"{100 * budget['outlives_64']:.1f} %", f"{100 * budget['mass']:.0f} %",
                   f"{100 * budget['newest_selected']:.0f} %"]


def page(result):
    parts = [f"Measured: {result['steps']} decode steps of real text at each context, pages of "
             f"{result['page_size_tokens']} tokens, centre-std digests, best head of a group. Steady: still selected through "
             "the next 16 steps; overlap: selected 16 steps later; life: stays that last longer than "
             "so many steps; newest: of the 8 newest pages.\n"]
    head = ["context", "layer", "pages", "drop-out", "steady", "overlap", "life > 1", "> 4", "> 16",
            "> 64", "mass", "newest"]
    first = next(iter(TEXTS))
    parts.append(table(head, [row for one in result["contexts"]
                              for row in statistics_rows(one["context_tokens"], one[first])]))
    parts.append("Fitted: the synthetic source to the first half of the steps. Distance: root mean "
                 "square of ln(fitted / recorded) over 9 figures of 3 budgets; 0.1: a typical figure "
                 "is off by a tenth. `other text from the fitted steps` is how far two recordings are "
                 "apart, which no fit can be expected to get below.\n")
    names = list(result["contexts"][0]["fit"]["distances"])
    parts.append(table(["context", *names],
                       [[f"{one['context_tokens'] // 1024}K",
                         *(f"{one['fit']['distances'][name]:.3f}" for name in names)]
                        for one in result["contexts"]]))
    for one in result["contexts"]:
        parts.append(f"{one['context_tokens'] // 1024}K, fitted: `{one['fit']['set']}`\n")
    last = result["contexts"][-1]
    rows = [[a["name"], str(a["budget_pages"]), f"{a['recorded']:.3f}", f"{a['fitted']:.3f}",
             f"{b['recorded']:.3f}", f"{b['fitted']:.3f}"]
            for a, b in zip(last["fit"]["fitted"], last["fit"]["other_text"])]
    parts.append(f"At {last['context_tokens'] // 1024}K, figure by figure:\n")
    parts.append(table(["figure", "pages", "recorded, seen", "fitted", "recorded, other text",
                        "fitted"], rows))
    parts.append("Modelled: what `simulate` makes of the scores, png-kv at a budget of a quarter of "
                 "the context; recalled pages per step and layer:\n")
    parts.append(table(["context", "recorded", "fitted", "default parameters"],
                       [[f"{one['context_tokens'] // 1024}K",
                         *(f"{one['simulated'][name]['pages_recalled_per_step']:.2f}"
                           for name in ("recorded", "fitted", "assumed"))]
                        for one in result["contexts"]]))
    return "\n".join(parts)
