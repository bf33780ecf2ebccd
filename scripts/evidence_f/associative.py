"""Associative recall at a million tokens: answers that dense attention finds and answers that selected
pages find, by margin. Every run is kept, so that a rerun goes on."""

import json
import subprocess
from pathlib import Path

from evidence_driver import bible, page_table as table, real_model

TITLE = "Associative recall at 1M tokens"
TIMED = False

MODEL = "gemma3-270m"
MARGINS = "16,12,8,6,4,3,2,1,0.5,0,-1"
# What an answer is: one token, or a passage of sixteen; and pages a quarter as long.
RUNS = {
    "one token": [],
    "a passage of 16": ["--passage", "16"],
    "one token, pages of 16": ["--page-size", "16"],
    "a passage of 16, pages of 16": ["--passage", "16", "--page-size", "16"],
}
GOAL_BUDGET = 4096


def run(place):
    results = {}
    for name, options in RUNS.items():
        kept = Path(place.work) / f"{name.replace(' ', '-').replace(',', '')}.json"
        if not kept.exists():
            place.log(f"associative: {name}")
            partial = kept.with_suffix(".part")
            subprocess.run([str(place.memside), "eval", "associative", "--model", real_model(place.tree, MODEL),
                            "--text", str(bible(place.work)), "--margins", MARGINS, *options,
                            "--json", str(partial)], check=True, stdout=subprocess.DEVNULL)
            partial.rename(kept)
        results[name] = json.loads(kept.read_text(encoding="utf-8"))
    return results


def way(cell):
    grouping = cell["select_per"]
    if grouping != "query-head":
        grouping += " " + cell["group_score"]
    return f"{cell['digest']} {cell['digest_type']}", grouping


def begins_to_fail(margins, found, trials):
    """The smallest margin down to which every answer is found, going down from the largest."""
    least = None
    for margin, count in zip(margins, found):
        if count < trials:
            break
        least = margin
    return "none" if least is None else f"{least:g}"


def section(name, result):
    margins, trials = result["margins"], result["trials"]
    keys = result["recorded_keys"]
    dense = begins_to_fail(margins, result["dense_found"], trials)
    parts = [f"### {name}\n",
             f"Measured: keys as layer {result['layer']} of {result['model']} has them over "
             f"{keys['tokens']} tokens of text, {result['tokens']:,} drawn tokens of "
             f"{result['head_dim']} channels, pages of {result['page_size_tokens']}, "
             f"{result['trials']} questions a margin, {result['distractors']} distractors each. "
             f"Margins in nats. Dense finds all of {trials} down to a margin of {dense}.\n"]
    rows = [["dense", "", "all", dense, *map(str, result["dense_found"])]]
    for cell in result["cells"]:
        digest, grouping = way(cell)
        rows.append([digest, grouping, f"{cell['budget_tokens']:,}",
                     begins_to_fail(margins, cell["found"], trials), *map(str, cell["found"])])
    parts.append(table(["digest", "page set", "budget", f"{trials} of {trials} down to",
                        *(f"{margin:g}" for margin in margins)], rows))
    lost = [f"{way(c)[0]}, {way(c)[1]}: {count} at {margin:g}"
            for c in result["cells"] if c["budget_tokens"] == GOAL_BUDGET
            for margin, full, count in zip(margins, result["dense_found"], c["lost"])
            if full == trials and count > 0]
    parts.append(f"Goal, {trials} of {trials} at a budget of {GOAL_BUDGET:,} wherever dense has "
                 f"them: {'reached' if not lost else 'missed in ' + str(len(lost)) + ' cells'}.\n")
    parts.append("Why answers are lost: rank of the answer's page by its score, nine in ten at most "
                 f"(a budget of {GOAL_BUDGET:,} holds {GOAL_BUDGET // result['page_size_tokens']}):\n")
    parts.append(table(["digest", "page set", *(f"{margin:g}" for margin in margins)],
                       [[*way(rank), *map(str, rank["p90_pages"])] for rank in result["answer_rank"]]))
    parts.append("Are drawn keys like the text's own? Width of a page's box, in deviations: "
                 f"{keys['box_width']:.2f} recorded, {keys['drawn_box_width']:.2f} drawn. How often "
                 "the page of the key that a query likes best ranks first, and in the first "
                 "sixteenth:\n")
    parts.append(table(["digest", "text's keys", "", "drawn keys", ""],
                       [[f"{r['digest']} {r['digest_type']}", f"{100 * r['first_recorded']:.0f} %",
                         f"{100 * r['first_sixteenth_recorded']:.0f} %",
                         f"{100 * r['first_drawn']:.0f} %",
                         f"{100 * r['first_sixteenth_drawn']:.0f} %"]
                        for r in result["key_recall"]]))
    return "\n".join(parts)


def page(results):
    return "\n".join(section(name, result) for name, result in results.items())
