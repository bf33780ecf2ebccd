"""The page of scripts/evidence-e, from figures that are made up."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import evidence_page  # noqa: E402


def record(figures):
    return {"commit": "abc", "date": "2026-01-01", "idle_before": 0.99, "figures": figures}


def run(nanoseconds, fraction):
    return {"ns_per_token_per_layer": nanoseconds, "fraction_of_stream": fraction,
            "stream_gb_per_s": 40.0}


def prompt(**more):
    return {"prompt": "p", "prompt_tokens": 3, "our_error_to_f64": 1e-4, "their_error_to_f64": 0.02,
            "median_error_to_each_other": 0.02, "same_prompt_tokens": True,
            "run_gives_the_same": True, **more}


class EvidencePage(unittest.TestCase):
    def test_a_part_that_is_missing_is_named_with_its_reason(self):
        page = evidence_page.write({}, {name: "not run" for name in (
            "machine", "greedy-gemma-3-270m", "greedy-random-llama", "greedy-random-qwen2",
            "greedy-random-qwen3", "decode-dense", "decode-selected-0", "decode-selected-2",
            "decode-llama.cpp", *(f"attention-{who}{d}-{t}" for d in (64, 128) for who, types in
                                  (("", ("f16", "int8")), ("llama.cpp-", ("f16", "q8_0")))
                                  for t in types),
            "fuzz")})
        self.assertIn("Not measured: `decode-dense`, not run.", page)
        self.assertIn("Not measured: `attention-llama.cpp-128-q8_0`, not run.", page)

    def attention(self, rows, has_goals=True, peer=None):
        page = evidence_page.Page({}, {})
        page.attention_table(rows, peer, has_goals)
        return [line.split(" | ") for line in page.parts[0].splitlines()[2:]]

    def test_attention_is_held_against_the_stream_and_against_dense(self):
        rows = self.attention([
            {"context": "128K", "threads": 1, "dense": run(12e6, 0.61), "select": run(1.2e6, 0.2)},
            {"context": "128K", "threads": 2, "dense": run(12e6, 0.61), "select": run(1.3e6, 0.2)},
            {"context": "1M", "threads": 2, "dense": run(80e6, 0.80), "select": run(1.9e6, 0.2)}],
            peer=[{"milliseconds": 24.0}, {"milliseconds": 36.0}, {"milliseconds": 800.0}])
        self.assertEqual(rows[0][4:7], ["61 % yes", "1.2 ms", "10.0 yes"])
        self.assertEqual(rows[1][4:7], ["61 % **no**, 0.75 wanted", "1.3 ms", "9.2 **no**, 10 wanted"])
        self.assertEqual(rows[2][4:7], ["80 % yes", "1.9 ms", "42.1 yes"])
        self.assertTrue(rows[0][7].startswith("24 ms, 2.0 x ours"))

    def test_what_has_no_goal_is_only_reported(self):
        row = self.attention([{"context": "1M", "threads": 1, "dense": run(80e6, 0.1),
                               "select": run(80e6, 0.1)}], has_goals=False)[0]
        self.assertEqual(row[4:8], ["10 %", "80 ms", "1.0", "- |"])

    def test_first_differences_are_counted_by_whom_f64_agrees_with(self):
        page = evidence_page.Page({}, {})
        page.greedy_table({"prompts": [
            prompt(), prompt(first_difference=4, ours=1, theirs=2, f64=1, f64_margin=0.25),
            prompt(first_difference=9, ours=1, theirs=2, f64=2, f64_margin=-0.5),
            prompt(first_difference=9, ours=1, theirs=2, f64=3, f64_margin=0.5)]})
        text = "".join(page.parts)
        self.assertIn("Of 4 prompts 1 are equal; at the first difference f64 agrees with us in 2 and "
                      "with llama.cpp in 1.", text)
        self.assertIn("token 4: f64 agrees with us, margin +0.25 |", text)
        self.assertIn("token 9: f64 agrees with llama.cpp, margin -0.5 |", text)
        self.assertIn("margin +0.5 (its largest is another)", text)

    def test_a_prompt_that_was_cut_otherwise_is_said_loudly(self):
        page = evidence_page.Page({}, {})
        page.greedy_table({"prompts": [prompt(same_prompt_tokens=False)]})
        self.assertIn("**Prompt tokens or what `memside run` gives differ in some.**", page.parts[0])


if __name__ == "__main__":
    unittest.main()
