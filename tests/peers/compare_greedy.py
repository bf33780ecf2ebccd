#!/usr/bin/env python3
"""Decodes the 20 prompts of prompts.json greedily, 64 tokens each, with our engine and with llama.cpp
on the same file, and compares tokens and logits.
usage: compare_greedy.py MODEL.gguf RESULT.json

Needs build/release/{memside,logits,tokenize} and llama-cpp-python (decoding.txt). Where two tokens
differ for the first time, f64 arithmetic on the dequantised weights decides: its margin is the logit
of our token less that of theirs, positive when it agrees with us."""

import json
import subprocess
import sys
import tempfile
from array import array
from pathlib import Path

import llama_model
import numpy as np

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build/release"
STEPS = 64
CONTEXT = 2560  # tokens; the longest prompt takes 1,900 with the smallest vocabulary
SETTINGS = {"kv": "f16", "flash_attention": False, "threads": 2, "micro_batch": 512}


def error(got, want):
    """Length of the difference over that of `want`."""
    want = want.astype(np.float64)
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


class Ours:
    def __init__(self, model, folder):
        self.model, self.file = model, folder / "input"

    def _ids(self, tokens):
        self.file.write_text(" ".join(map(str, tokens)), encoding="ascii")
        return self.file

    def steps(self, prompt, vocab):
        """Yields token and logits, STEPS times."""
        command = [BUILD / "logits", self.model, self._ids(prompt), "--steps", str(STEPS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            while step := process.stdout.read(4 * (vocab + 1)):
                values = np.frombuffer(step, dtype="<f4")
                yield int(values[:1].view("<i4")[0]), values[1:]
        if process.returncode != 0:
            raise SystemExit(f"logits failed on {self.model}")

    def reference(self, tokens):
        """The f64 logits after the last token."""
        run = subprocess.run([BUILD / "logits", self.model, self._ids(tokens), "--reference"],
                             stdout=subprocess.PIPE, check=True)
        return np.frombuffer(run.stdout[4:], dtype="<f8")

    def tokenize(self, text):
        self.file.write_text(text, encoding="utf-8")
        run = subprocess.run([BUILD / "tokenize", self.model, self.file], check=True,
                             capture_output=True)
        return list(array("i", run.stdout))

    def run(self, text):
        """What a user gets: the token ids of memside run."""
        self.file.write_text(text, encoding="utf-8")
        run = subprocess.run(
            [BUILD / "memside", "run", "--model", self.model, "--prompt-file", self.file, "--raw",
             "--temperature", "0", "--max-tokens", str(STEPS), "--json", "-"], check=True,
            capture_output=True)
        return json.loads(run.stdout)["token_ids"]


def compare(prompt, ours, peer):
    tokens = peer.tokenize(prompt["text"])
    own = ours.tokenize(prompt["text"])
    row = {"prompt": prompt["name"], "prompt_tokens": len(tokens),
           "same_prompt_tokens": own in (tokens, tokens[1:])}
    exact = ours.reference(tokens)
    peer.clear()
    theirs = peer.feed(tokens, 0)
    row["their_error_to_f64"] = error(theirs, exact)
    agreed, our_tokens, errors = [], [], []
    comparing = True
    for step, (token, logits) in enumerate(ours.steps(tokens, peer.vocab_size)):
        if step == 0:
            row["our_error_to_f64"] = error(logits, exact)
        our_tokens.append(token)
        if not comparing:
            continue
        errors.append(error(logits, theirs))
        other = int(theirs.argmax())
        if other == token:
            agreed.append(token)
            if len(agreed) < STEPS:
                theirs = peer.feed([token], len(tokens) + step)
            continue
        comparing = False
        decides = ours.reference(tokens + agreed)
        row |= {"first_difference": step, "ours": token, "theirs": other,
                "f64": int(decides.argmax()), "f64_margin": float(decides[token] - decides[other]),
                "our_margin": float(logits[token]) - float(logits[other]),
                "their_margin": float(theirs[other]) - float(theirs[token])}
    row["equal_tokens"] = len(agreed)
    row["median_error_to_each_other"] = float(np.median(errors))
    row["largest_error_to_each_other"] = max(errors)
    told = ours.run(prompt["text"])
    row["run_gives_the_same"] = told == our_tokens[:len(told)] and len(told) > 0
    return row


def main():
    model, result = Path(sys.argv[1]), Path(sys.argv[2])
    prompts = json.loads((HERE / "prompts.json").read_text(encoding="utf-8"))
    peer = llama_model.Model(model, CONTEXT, SETTINGS["flash_attention"], SETTINGS["threads"],
                             SETTINGS["micro_batch"])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(model, Path(folder))
        for prompt in prompts:
            rows.append(compare(prompt, ours, peer))
            print(f"{model.name}: {rows[-1]}", file=sys.stderr, flush=True)
    peer.close()
    result.write_text(json.dumps({"peer": llama_model.VERSION, "system": llama_model.system_info(),
                                  "settings": SETTINGS, "steps": STEPS, "prompts": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
