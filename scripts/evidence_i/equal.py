"""Random convolutions, schedules and operands against plain loops: the property tests, with more cases
than `make check` has."""

import re
import subprocess

TITLE = "Programs that equal the reference"
TIMED = False

CASES = 2000


def run(place):
    tests = {}
    for name in ("test_conv", "test_codegen"):
        done = subprocess.run([str(place.tree / "build/release" / name)],
                              env={**place.environment, "RC_PARAMS": f"max_success={CASES}"},
                              capture_output=True, text=True, check=False)
        passed = re.search(r"\[  PASSED  \] (\d+) tests?", done.stdout)
        properties = re.findall(r"OK, passed (\d+) tests", done.stderr + done.stdout)
        tests[name] = {"passed": int(passed[1]) if passed else 0, "status": done.returncode,
                       "properties": [int(cases) for cases in properties]}
        if done.returncode != 0:
            raise ValueError(f"{name} fails")
    return {"tests": tests, "cases": CASES}


def page(figures):
    lines = []
    for name, of in figures["tests"].items():
        lines.append(f"- `{name}`: {of['passed']} tests passed; {len(of['properties'])} properties of "
                     f"{figures['cases']:,} random cases each.")
    return "\n".join(lines)
