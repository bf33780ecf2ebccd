"""Runs the parts of an evidence page and keeps their figures, so that an interrupted run goes on.

Each part leaves its figures as JSON in the driver's folder; a part that is there is not run again.
"""

import argparse
import datetime
import importlib
import json
import os
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
# Times say little beside other programs: a part that measures some waits until the processors have
# been so idle for a second, for at most so many seconds.
QUIET_SHARE = 0.95
QUIET_SECONDS = 300


class PartFailed(Exception):
    pass


def output_of(command, **more):
    run = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False, **more)
    if run.returncode != 0:
        lines = (run.stderr.strip() or run.stdout.strip() or "it gave no reason").splitlines()
        raise PartFailed(f"{Path(command[0]).name}: {lines[-1]}")
    return run.stdout


def git(*arguments):
    return output_of(["git", *arguments]).strip()


def idle_share():
    """How idle the processors are during a second, 0 to 1."""
    def times():
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
        return [int(field) for field in fields]
    before = times()
    time.sleep(1.0)
    spent = [now - then for now, then in zip(times(), before)]
    return (spent[3] + spent[4]) / max(sum(spent), 1)


def page_table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def bible(folder, name="kjv", first=0, count=None):
    """Real text in `folder`, made once: the King James Bible as Debian's package bible-kjv-text prints
    it, or `count` bytes of it."""
    path = Path(folder) / f"{name}.txt"
    if not path.exists():
        text = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], check=True,
                              capture_output=True).stdout
        partial = path.with_suffix(".part")
        partial.write_bytes(text[first:] if count is None else text[first:first + count])
        partial.rename(path)
    return path


def real_model(tree, name):
    """The path of a model that scripts/fetch-model knows."""
    return subprocess.run([str(Path(tree) / "scripts/fetch-model"), name], check=True,
                          capture_output=True, text=True).stdout.strip().splitlines()[-1]


class Driver:
    """parts: {name: function that returns figures}, in order; timed: names of those that measure
    times; write(records, missing): the page."""

    def __init__(self, name, cache, page, parts, timed, write):
        self.name, self.cache, self.page = name, cache, page
        self.parts, self.timed, self.write = parts, timed, write

    def kept(self, part):
        return self.cache / f"{part}.json"

    def measure(self, part):
        """Runs a part and keeps its figures; the reason why it failed, or None."""
        print(f"{self.name}: {part}", flush=True)
        deadline = time.monotonic() + QUIET_SECONDS
        idle = idle_share()
        while part in self.timed and idle < QUIET_SHARE and time.monotonic() < deadline:
            idle = idle_share()
        changed = "" if not git("status", "--porcelain", "--untracked-files=no", "src") else "+"
        commit = git("rev-parse", "--short=12", "HEAD") + changed
        begin = time.monotonic()
        try:
            figures = self.parts[part]()
        except (PartFailed, KeyError, TypeError, ValueError, OSError,
                subprocess.SubprocessError) as error:
            print(f"{self.name}: {part} failed: {error}", file=sys.stderr, flush=True)
            return f"{error}"
        record = {"commit": commit, "idle_before": idle, "seconds": time.monotonic() - begin,
                  "date": datetime.date.today().isoformat(), "figures": figures}
        unfinished = self.kept(part).with_suffix(".part")
        unfinished.write_text(json.dumps(record, indent=1), encoding="utf-8")
        unfinished.replace(self.kept(part))
        return None

    def main(self, description):
        options = argparse.ArgumentParser(description=description)
        options.add_argument("--list", action="store_true", help="names of the parts")
        options.add_argument("--part", action="append", default=[],
                             help="run it again, and no others")
        options.add_argument("--page", action="store_true", help="only write the page")
        options = options.parse_args()
        if options.list:
            print("\n".join(self.parts))
            return 0
        self.cache.mkdir(parents=True, exist_ok=True)
        for wanted in options.part:
            if not any(fnmatch(part, wanted) for part in self.parts):
                print(f"{self.name}: no part {wanted}; --list names them", file=sys.stderr)
                return 2
        missing = {}
        for part in self.parts:
            again = any(fnmatch(part, wanted) for wanted in options.part)
            if again or not (self.kept(part).is_file() or options.part or options.page):
                reason = self.measure(part)
                if reason:
                    missing[part] = reason
        records = {part: json.loads(self.kept(part).read_text(encoding="utf-8"))
                   for part in self.parts if self.kept(part).is_file()}
        for part in self.parts:
            if part not in records:
                missing.setdefault(part, "not run")
        self.page.parent.mkdir(exist_ok=True)
        self.page.write_text(self.write(records, missing), encoding="utf-8")
        print(f"{self.name}: wrote {os.path.relpath(self.page, ROOT)}")
        return 1 if any(reason != "not run" for reason in missing.values()) else 0


def main_of_parts(letter, subject, names, description):
    """The main program of scripts/evidence-LETTER, whose parts are files of scripts/evidence_LETTER: TITLE,
    TIMED, run(place) that returns figures, page(figures) that writes its section."""
    script = f"evidence-{letter}"
    cache = ROOT / "build" / script
    modules = {name: importlib.import_module(f"evidence_{letter}.{name}") for name in names}

    def log(text):
        print(f"{script}: {text}", flush=True)

    def runner(name):
        def run():
            work = cache / name
            work.mkdir(parents=True, exist_ok=True)
            return modules[name].run(SimpleNamespace(
                tree=ROOT, memside=ROOT / "build/release/memside", work=work, log=log,
                environment=dict(os.environ)))
        return run

    def write(records, missing):
        parts = [f"# Evidence: {subject}\n",
                 f"Written by `make {script}` (`scripts/{script}`). A + behind a commit says that sources "
                 "had changed since.\n"]
        parts.append(page_table(
            ["part", "commit", "date", "processors idle before", "seconds"],
            [[modules[name].TITLE, record["commit"], record["date"],
              f"{100 * record['idle_before']:.0f} %", f"{record['seconds']:.0f}"]
             for name, record in records.items()]))
        for name, module in modules.items():
            parts.append(f"## {module.TITLE}\n")
            parts.append(module.page(records[name]["figures"]).strip("\n") + "\n"
                         if name in records else f"Not measured: {missing[name]}.\n")
        return "\n".join(parts)

    driver = Driver(script, cache, ROOT / f"docs/evidence/{letter}.md",
                    {name: runner(name) for name in modules},
                    {name for name, module in modules.items() if module.TIMED}, write)
    return driver.main(description)
