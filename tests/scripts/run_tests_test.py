"""scripts/run-tests with a ctest of our own that reports what the test says."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/run-tests"

FAKE_CTEST = f"""#!{sys.executable}
import os, sys
print("summary")
if os.environ["REPORT"]:
    with open(sys.argv[sys.argv.index("--output-junit") + 1], "w") as out:
        out.write(os.environ["REPORT"])
sys.exit(int(os.environ["STATUS"]))
"""


def report(*cases):
    tests = "".join(f'<testcase name="{name}">{"<skipped/>" if skipped else ""}'
                    f"<system-out>{output}</system-out></testcase>"
                    for name, skipped, output in cases)
    return f"<testsuite>{tests}</testsuite>"


WITHOUT = ("a", True, "Skipped no real model; scripts/fetch-model brings it")
OTHER = ("b", True, "no such processor")
PASSED = ("c", False, "no real model")


class RunTests(unittest.TestCase):
    def run_tests(self, xml, status=0, *options):
        with tempfile.TemporaryDirectory() as folder:
            ctest = Path(folder) / "ctest"
            ctest.write_text(FAKE_CTEST, encoding="utf-8")
            ctest.chmod(0o755)
            run = subprocess.run(
                [sys.executable, SCRIPT, *options, "--test-dir", folder], text=True,
                capture_output=True, check=False,
                env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "REPORT": xml,
                     "STATUS": str(status)})
        return run.returncode, run.stdout

    def test_tests_without_the_model_are_counted_after_the_summary(self):
        self.assertEqual(self.run_tests(report(WITHOUT, OTHER, PASSED)),
                         (0, "summary\n1 test skipped: no real model\n"))
        self.assertEqual(self.run_tests(report(WITHOUT, WITHOUT)),
                         (0, "summary\n2 tests skipped: no real model\n"))

    def test_where_the_model_is_required_they_are_a_failure(self):
        self.assertEqual(self.run_tests(report(WITHOUT), 0, "--require-model")[0], 1)
        self.assertEqual(self.run_tests(report(OTHER, PASSED), 0, "--require-model"),
                         (0, "summary\n"))

    def test_a_failure_of_ctest_stays_one(self):
        self.assertEqual(self.run_tests(report(PASSED), 8)[0], 8)
        self.assertEqual(self.run_tests(report(WITHOUT), 8)[0], 8)

    def test_no_report_is_a_failure(self):
        self.assertEqual(self.run_tests("", 0)[0], 1)


if __name__ == "__main__":
    unittest.main()
