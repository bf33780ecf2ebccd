"""The quality part of the evidence, with a memside that is made up: how trials merge, and that a rerun goes
on where it was interrupted."""

import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS / "evidence_f")]
import quality  # noqa: E402

# Writes one cell of 16K for dense and a policy; trial 0 of the needles is not found by dense.
FAKE = """#!/usr/bin/env python3
import sys
arguments = dict(zip(sys.argv[3::2], sys.argv[4::2]))
with open("CALLS", "a") as calls:
    calls.write("x")
needle = sys.argv[2] == "needle"
counts = ("depth,counts,trials,dense_found,found,lost,gained," if needle else
          "steps,kl_mean_nats,kl_p50_nats,kl_p95_nats,kl_p99_nats,kl_max_nats,top1_agreement,"
          "surprise_nats,dense_surprise_nats,mass_selected,mass_best,")
found = int(arguments.get("--first-trial", "1") != "0")
def cell(policy):
    if not needle:
        return "64,0.1,0.1,0.1,0.1,0.1,0.9,2.1,2.0,0.8,0.9"
    kept = found if policy == "dense" else int(arguments["--first-trial"] == "1")
    return f"0.5,true,1,{found},{kept},{found - kept},0"
with open(arguments["--csv"], "w") as out:
    out.write("policy,budget_tokens,digest,select_per,group_score,page_size_tokens,context_tokens," +
              counts + "kv_bytes_read_per_step,digest_bytes_read_per_step,seed\\n")
    for policy in ("dense,,,,", "pnm-kv,4096,minmax,kv-head,mean", "pnm-kv,8192,minmax,kv-head,mean"):
        name = policy.split(",")[0]
        out.write(f"{policy},{arguments['--page-size']},16384,{cell(name)},1048576,2048,1\\n")
"""


class Quality(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        work = Path(self.folder.name)
        self.calls = work / "calls"
        program = work / "memside"
        program.write_text(FAKE.replace("CALLS", str(self.calls)))
        program.chmod(0o755)
        self.place = SimpleNamespace(tree=work, memside=program, work=work, log=lambda text: None)
        kept = quality.real_model, quality.bible
        quality.real_model = quality.bible = lambda *arguments: "x"
        self.addCleanup(lambda: (setattr(quality, "real_model", kept[0]),
                                 setattr(quality, "bible", kept[1])))

    def test_trials_add_up_and_dense_alone_fixes_the_cells(self):
        result = quality.run(self.place)
        # Nine of ten: the cell counts.
        self.assertEqual([cell["found"] for cell in result["dense"]], [9])
        by_budget = {row["budget_tokens"]: row for row in result["needle"]
                     if row["page_size_tokens"] == "16"}
        row = by_budget["4096"]
        self.assertEqual((row["cells_counted"], row["trials"], row["found"], row["lost"]), (1, 10, 1, 8))
        self.assertAlmostEqual(row["lost_per_100"], 100 * 8 / 9)
        self.assertEqual(row["kv_bytes_read_per_step"], 1048576)
        # A context of twice the budget does not count.
        self.assertEqual(by_budget["8192"]["cells_counted"], 0)
        self.assertIsNone(by_budget["8192"]["lost_per_100"])
        page = quality.page(result)
        self.assertIn("| 16K | 9/10 |", page)
        self.assertIn("pages of 16, minmax, kv-head, mean: 8 of 9 lost, 88.9 in 100; at most 1 wanted: "
                      "**no**", page)

    def test_a_rerun_goes_on_where_it_was_interrupted(self):
        result = quality.run(self.place)
        everything = len(self.calls.read_text())
        (Path(self.place.work) / "quality/needle-16-trial-3.csv").unlink()
        self.assertEqual(quality.run(self.place), result)
        self.assertEqual(len(self.calls.read_text()), everything + 1)


if __name__ == "__main__":
    unittest.main()
