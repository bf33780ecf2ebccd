"""The page docs/evidence/e.md out of the figures that scripts/evidence-e kept."""

from evidence_driver import page_table as table

# Dense attention of one layer at 1 and 2 threads in milliseconds, head dimension 64, 32 query and 8 KV
# heads, f32 query. Measured before this project, on two cores of an AMD Zen 5 server processor whose
# memory streams 38.9 GB/s to one thread and 41.7 GB/s to two.
QUOTED_ATTENTION = """
| tokens | llama.cpp f16 | llama.cpp q8_0 | ik_llama.cpp f16 | ik_llama.cpp q8_0 |
|---|---|---|---|---|
| 32K | 30 / 15 | 28 / 14 | 11.5 / 5.6 | 4.5 / 2.4 |
| 128K | 188 / 122 | 199 / 90 | 64 / 27 | 21.6 / 12.2 |
| 1M | 1290 / 529 | 2030 / 890 | 509 / 210 | 219 / 162 |
"""

# Of dense attention in f16, the share of the stream of memory that it should reach; how much faster
# a selection of 4,096 tokens should be.
STREAM_GOAL = {1: 0.60, 2: 0.75}
SELECTION_GOAL = {"128K": 10.0, "1M": 40.0}


def short(value):
    """Three digits that count."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def verdict(value, goal):
    return "" if goal is None else (" yes" if value >= goal else f" **no**, {goal:g} wanted")


class Page:
    def __init__(self, records, missing):
        self.records, self.missing, self.parts = records, missing, []

    def say(self, text):
        self.parts.append(text.strip("\n") + "\n")

    def figures(self, name):
        """The figures of a part, or None after a line that says why there are none."""
        if name in self.records:
            return self.records[name]["figures"]
        self.say(f"Not measured: `{name}`, {self.missing[name]}.")
        return None

    def heading(self):
        commits = sorted({record["commit"] for record in self.records.values()})
        self.say("# Evidence: decoding real models on this machine")
        self.say("Written by `make evidence-e` (`scripts/evidence-e`); every figure is measured unless "
                 "it is called quoted. A + behind a commit says that sources had changed since.")
        machine = self.figures("machine")
        if machine:
            self.say(table(["what", "this machine"], [
                ["processor", f"{machine['model']}, family {machine['family']}, model "
                              f"{machine['model_number']}, {machine['cores']} cores"],
                ["memory", f"{machine['memory_gib']:.1f} GiB; level-3 cache "
                           f"{machine['level_3_cache']}"],
                ["AVX-512 VNNI", "yes" if machine["avx512_vnni"] else "no"],
                ["compiler", machine["compiler"]],
                ["commit", ", ".join(commits)]]))

    def greedy(self):
        self.say("## Greedy text beside llama.cpp")
        known = [r["figures"] for n, r in self.records.items() if n.startswith("greedy-")]
        if known:
            settings = known[0]["settings"]
            self.say(
                f"`tests/peers/compare_greedy.py` on `tests/peers/prompts.json`: {known[0]['steps']} "
                f"greedy tokens for each of the 20 prompts, by us and by {known[0]['peer']}, keys "
                f"and values {settings['kv']}, flash attention "
                f"{'on' if settings['flash_attention'] else 'off'}, {settings['threads']} threads, "
                "weights as its defaults have them; it rounds activations to 8 bits, and queries to "
                "f16. Where two tokens differ for the first time, f64 arithmetic on the dequantised "
                "weights (`tests/engine/reference_model.h`) has the prefix and decides. Its margin "
                "is our token's logit less theirs: above 0 it agrees with us. Errors are lengths "
                "of differences of logits over lengths of logits, behind the prompt to f64, between "
                "the two the median over the steps until they part.")
        for name in ("gemma-3-270m", "random-llama", "random-qwen2", "random-qwen3"):
            self.say(f"### {name}")
            figures = self.figures(f"greedy-{name}")
            if figures:
                self.greedy_table(figures)

    def greedy_table(self, figures):
        rows, equal, ours, theirs = [], 0, 0, 0
        for p in figures["prompts"]:
            outcome = "equal"
            if "first_difference" in p:
                agrees = p["f64_margin"] > 0
                third = "" if p["f64"] in (p["ours"], p["theirs"]) else " (its largest is another)"
                ours, theirs = ours + agrees, theirs + (not agrees)
                outcome = (f"token {p['first_difference']}: f64 agrees with "
                           f"{'us' if agrees else 'llama.cpp'}, margin {p['f64_margin']:+.2g}{third}")
            else:
                equal += 1
            rows.append([p["prompt"], p["prompt_tokens"], outcome, f"{p['our_error_to_f64']:.2g}",
                         f"{p['their_error_to_f64']:.2g}", f"{p['median_error_to_each_other']:.2g}"])
        self.say(f"Of {len(rows)} prompts {equal} are equal; at the first difference f64 agrees with us "
                 f"in {ours} and with llama.cpp in {theirs}. "
                 + ("Prompt tokens are the same in all, and so is what `memside run` gives."
                    if all(p["same_prompt_tokens"] and p["run_gives_the_same"]
                           for p in figures["prompts"])
                    else "**Prompt tokens or what `memside run` gives differ in some.**"))
        self.say(table(["prompt", "tokens", "64 greedy tokens", "our error to f64",
                        "llama.cpp's", "between the two"], rows))

    def attention(self):
        self.say("## Attention of one decode step and layer")
        self.say("`memside bench attention`: 32 query and 8 KV heads, pages of 64 tokens, a selection of "
                 "4,096 tokens; medians of three runs, each with the stream of memory that it measured "
                 "itself. llama.cpp's kernel by `tests/peers/measure_llama_cpp.py`, int8 beside its "
                 "q8_0. Wanted of f16: 60 % of the stream with one thread and 75 % with two, and a "
                 "selection 10 times as fast as dense at 128K and 40 times at 1M.")
        for head_dim in (64, 128):
            for kv_type, peer_type in (("f16", "f16"), ("int8", "q8_0")):
                self.say(f"### Head dimension {head_dim}, {kv_type}")
                figures = self.figures(f"attention-{head_dim}-{kv_type}")
                peer = self.figures(f"attention-llama.cpp-{head_dim}-{peer_type}")
                if figures:
                    self.attention_table(figures["rows"], peer, kv_type == "f16")
        self.say("Quoted, for ik_llama.cpp, which no package carries: milliseconds with 1 / 2 threads, head "
                 "dimension 64, measured before on two cores of an AMD Zen 5 server processor with "
                 "38.9 / 41.7 GB/s.")
        self.say(QUOTED_ATTENTION)

    def attention_table(self, rows, peer, has_goals):
        cells = []
        for i, row in enumerate(rows):
            dense, select = row["dense"], row["select"]
            ratio = dense["ns_per_token_per_layer"] / select["ns_per_token_per_layer"]
            share = dense["fraction_of_stream"]
            share_goal = STREAM_GOAL[row["threads"]] if has_goals else None
            ratio_goal = SELECTION_GOAL.get(row["context"]) if has_goals else None
            theirs = peer[i]["milliseconds"] if peer else None
            dense_ms = dense["ns_per_token_per_layer"] / 1e6
            cells.append([
                row["context"], row["threads"], f"{dense['stream_gb_per_s']:.1f} GB/s",
                f"{short(dense_ms)} ms", f"{100 * share:.0f} %{verdict(share, share_goal)}",
                f"{short(select['ns_per_token_per_layer'] / 1e6)} ms",
                f"{ratio:.1f}{verdict(ratio, ratio_goal)}",
                f"{short(theirs)} ms, {theirs / dense_ms:.1f} x ours" if theirs else "-"])
        self.say(table(["context", "threads", "stream", "dense", "of the stream", "selected",
                        "dense / selected", "llama.cpp, dense"], cells))

    def decode(self):
        self.say("## Decode steps")
        self.say("Tokens per second of the Llama-3.2-1B shape with random weights in Q8_0, two threads, "
                 "behind a filled cache of f16; `memside bench decode --fill random`, the selection "
                 "`--policy pnm-kv --budget 4096`. llama.cpp with its defaults (flash attention), its "
                 "cache filled with copies of the state of 256 tokens.")
        columns = {"dense": "decode-dense", "selected": "decode-selected-0",
                   "selected, 2 layers dense": "decode-selected-2", "llama.cpp": "decode-llama.cpp"}
        figures = {title: self.figures(name) for title, name in columns.items()}
        rows = []
        for depth in ("0", "32K", "128K"):
            rates = [figures[t][depth]["decode_tok_per_s"] if figures[t] else None for t in columns]
            rows.append([depth] + [short(rate) if rate else "-" for rate in rates])
        self.say(table(["depth", *columns], rows))
        self.say("Quoted for llama.cpp, of the Zen 5 machine: 22 at depth 0, 1.3 at 32K, about 0.3 at 128K.")

    def fuzzing(self):
        self.say("## Fuzzing")
        self.say("`scripts/fuzz`, libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer: "
                 "`gguf_header` and `model_file` read files, the latter whole models in up to three "
                 "parts, and decode four tokens with those that are accepted.")
        figures = self.figures("fuzz")
        if figures:
            self.say(table(["fuzzer", "minutes", "inputs", "findings"],
                           [[name, f"{run['seconds'] / 60:.0f}", f"{run['inputs']:,}", "none"]
                            for name, run in sorted(figures.items())]))

    def conditions(self):
        self.say("## When each part ran")
        self.say("Idle is the share of the processors' time that nobody used in the second before a "
                 "part began. Parts that measure times wait five minutes for 95 %; where it stayed below, "
                 "their figures are disturbed.")
        self.say(table(["part", "date", "commit", "idle before"],
                       [[name, r["date"], r["commit"],
                         f"{r['idle_before']:.0%}" if "idle_before" in r else "-"]
                        for name, r in self.records.items()]))


def write(records, missing):
    page = Page(records, missing)
    for section in (page.heading, page.greedy, page.attention, page.decode, page.fuzzing,
                    page.conditions):
        section()
    return "\n".join(page.parts)
