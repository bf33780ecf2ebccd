"""Each source check accepts a small good tree and names the fault of a small bad one."""

import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

GOOD = {
    ".clang-format": "BasedOnStyle: Google\nIndentWidth: 4\n",
    "src/base/text.h": "#pragma once\n",
    "src/base/text.cpp": '#include "base/text.h"\n',
    "src/base/CMakeLists.txt": "memside_library(base text.cpp LINK fmt::fmt)\n",
    "src/model/model.h": '#include "base/text.h"\n',
    "src/model/CMakeLists.txt": "memside_library(model model.cpp LINK memside_base)\n",
    "src/system/system.h": '#include "base/text.h"\n',
    "docs/reading-order.md": "`src/base/`, then `model/model.h`, `src/system/` and `build/x`\n",
}


def run(check, changes):
    """Exit status and output of a check on the good tree with some files replaced (None: removed)."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**GOOD, **changes}.items():
            if content is not None:
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
        done = subprocess.run([SCRIPTS / f"check-{check}", folder], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout


class Lint(unittest.TestCase):
    def accepts(self, check, changes=None):
        self.assertEqual(run(check, changes or {}), (0, ""))

    def refuses(self, check, changes, *expected):
        status, output = run(check, changes)
        self.assertEqual(status, 1, output)
        for part in expected:
            self.assertIn(part, output)


class Floors(Lint):
    def test_floors_accepts_the_way_down_and_the_own_folder(self):
        self.accepts("floors")

    def test_floors_refuses_an_include_upwards(self):
        self.refuses("floors", {"src/base/text.h": '\n#include "model/model.h"\n'},
                     "text.h:2: base/ (floor 0) includes model/model.h (floor 1)")

    def test_floors_refuses_a_neighbour_on_the_same_floor(self):
        self.refuses("floors", {"src/system/system.h": '#  include "model/model.h"\n'},
                     "system/ (floor 1) includes model/model.h (floor 1)")

    def test_floors_refuses_an_include_from_a_subfolder(self):
        self.refuses("floors", {"src/base/deep/a.cpp": '#include "model/model.h"\n'}, "a.cpp:1")

    def test_floors_refuses_a_bare_or_missing_header(self):
        self.refuses("floors", {"src/base/text.h": '#include "text2.h"\n'}, "from src/")
        self.refuses("floors", {"src/base/text.h": '#include "base/gone.h"\n'}, "does not exist")

    def test_floors_refuses_a_link_upwards(self):
        self.refuses("floors", {"src/base/CMakeLists.txt":
                                "# memside_cli may stand in a comment\n"
                                "memside_library(base text.cpp\n  LINK memside_model)\n"},
                     "CMakeLists.txt:3: base/ (floor 0) links memside_model (floor 1)")

    def test_floors_refuses_a_folder_without_a_floor(self):
        self.refuses("floors", {"src/attic/a.cpp": ""}, "attic: has no floor")


class Length(Lint):
    def test_length_accepts_500_lines(self):
        self.accepts("length", {"src/base/text.cpp": "\n" * 500})

    def test_length_refuses_501_lines(self):
        self.refuses("length", {"tests/base/text_test.cpp": "\n" * 501}, "text_test.cpp: 501 lines")

    def test_length_refuses_a_tree_without_sources(self):
        self.refuses("length", {name: None for name in GOOD}, "holds no source file")


class ReadingOrder(Lint):
    def test_reading_order_accepts_paths_that_exist(self):
        self.accepts("reading-order")

    def test_reading_order_refuses_a_folder_that_is_not_mentioned(self):
        self.refuses("reading-order", {"src/kv/page.h": ""}, "does not mention `src/kv/`")

    def test_reading_order_refuses_a_path_that_is_gone(self):
        self.refuses("reading-order", {"src/model/model.h": None}, "md:1: `model/model.h`")

    def test_reading_order_refuses_a_missing_page(self):
        self.refuses("reading-order", {"docs/reading-order.md": None}, "no such file")


class Format(Lint):
    def test_format_accepts_formatted_sources(self):
        self.accepts("format")

    def test_format_refuses_what_clang_format_would_change(self):
        self.refuses("format", {"src/base/text.cpp": "int  f( ){return 1;}\n"}, "text.cpp:1")


if __name__ == "__main__":
    unittest.main()
