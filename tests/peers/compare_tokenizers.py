#!/usr/bin/env python3
"""Compares our tokenizers with llama.cpp and with the tokenizers package, on the same vocabularies.
usage: compare_tokenizers.py GEMMA3_270M.gguf TEXT...

Needs build/release/tokenize and the packages of requirements.txt. TEXT are long real texts in UTF-8;
strings that are hard on pre-tokenizers are added. Prints a row per vocabulary and peer, and exits
with 1 when any token differs."""

import random
import re
import subprocess
import sys
import tempfile
import unicodedata
from array import array
from pathlib import Path

import vocabularies
from llama_vocabulary import Vocabulary, version

TOKENIZE = Path(__file__).resolve().parents[2] / "build/release/tokenize"


def torture():
    """Texts of one class of difficulty each."""
    rng = random.Random(1)
    yield "every character", "".join(
        f"{chr(c)}x" if c % 3 else f" {chr(c)}9" for c in range(1, 0x110000)
        if not 0xD800 <= c < 0xE000)
    yield "blanks", "".join(rng.choice(["\n", "\r\n", " ", "  ", "\t", "\u00a0", "\u3000", "a", "1",
                                        "\u2028", "!", "\x0b"]) for _ in range(100000))
    yield "apostrophes", "".join(rng.choice(["'", "s", "S", "ll", "LL", "re", "Ve", "d", "\u2019",
                                             "m", "T", " ", "x", "\u0131"]) for _ in range(100000))
    yield "numbers", "".join(rng.choice(["1", "23", "456", "\u0663", "\u00bd", "\u2167", " ", ",",
                                         ".", "-", "$", "\uff11"]) for _ in range(100000))
    yield "scripts", "".join(rng.choice(["\u00e9", "e\u0301", "\u0928\u092e\u0938\u094d\u0924\u0947",
                                         "\u4f60\u597d", "\U0001f469\u200d\U0001f469", "\ufeff",
                                         "\u0e2a\u0e27", "\ud55c\uad6d", " ", "\U00020000", "\u0130"])
                                for _ in range(100000))
    yield "special", "".join(rng.choice(vocabularies.CONTROL + vocabularies.USER_DEFINED +
                                        ["<", "|", "im_end", ">", "\n", "a", " ", "<bos>",
                                         "<start_of_turn>", "<end_of_turn>", "\t\t", "<table>"])
                             for _ in range(50000))
    yield "anything", "".join(chr(rng.choice([rng.randrange(1, 128), rng.randrange(1, 0xD800),
                                              rng.randrange(0xE000, 0x110000)]))
                              for _ in range(300000))


def assigned(text):
    """Without what this Python's Unicode, older than our 15.1, does not know: the tokenizers package
    has classes of Unicode 16. And without user-defined tokens, which it is not told of."""
    text = re.sub("\n{4,}", "\n", text.replace("<tool_call>", ""))
    return "".join(c for c in text if unicodedata.category(c) != "Cn")


def ours(model, text, special):
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        run = subprocess.run([TOKENIZE, model, file.name] + (["--special"] if special else []),
                             capture_output=True, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr.decode())
    return list(array("i", run.stdout))


def first_difference(a, b):
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return i
    return min(len(a), len(b))


class Report:
    def __init__(self):
        self.failed = False
        print("| vocabulary | peer | texts | tokens | texts that differ |")
        print("|---|---|---:|---:|---|")

    def compare(self, vocabulary, peer, model, texts, tokenize, special):
        total, different = 0, []
        for name, text in texts:
            mine, theirs = ours(model, text, special), tokenize(text)
            total += len(mine)
            if mine != theirs:
                at = first_difference(mine, theirs)
                different.append(name)
                print(f"{vocabulary}, {peer}, {name}: token {at}: {mine[at - 2:at + 6]} where the "
                      f"peer has {theirs[at - 2:at + 6]}", file=sys.stderr)
        self.failed |= bool(different)
        print(f"| {vocabulary} | {peer} | {len(texts)} | {total:,} | "
              f"{', '.join(different) or 'none'} |", flush=True)


def compare_llama_cpp(report, label, model, texts):
    peer = Vocabulary(model)
    for special in (False, True):
        report.compare(label, f"llama.cpp {version}" + (", special tokens" if special else ""),
                       model, texts, lambda text: peer.tokenize(text, special), special)
    peer.close()


def main():
    gemma = sys.argv[1]
    real = [(Path(path).name, Path(path).read_text(encoding="utf-8", errors="replace"))
            for path in sys.argv[2:]]
    texts = real + list(torture())
    # llama.cpp looks for each of Gemma's 6,414 special tokens in turn: minutes for a whole book.
    short = [(name, text[:500000]) for name, text in texts]
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        compare_llama_cpp(report, "gemma-3-270m", gemma, short)
        vocabularies.rewrite_sentence_piece(gemma, folder / "prefix.gguf", True)
        compare_llama_cpp(report, "gemma-3-270m, space prefix, nothing user-defined", folder / "prefix.gguf", short)
        tokens, merges = vocabularies.train([text[:2000000] for _, text in texts], 20000)
        for name, aliases in vocabularies.ALIASES.items():
            model = folder / f"{name}.gguf"
            vocabularies.write_bpe(model, name, tokens, merges)
            compare_llama_cpp(report, f"trained, {name}", model, texts)
            peer = vocabularies.hugging_face(name, tokens, merges)
            plain = [(n, assigned(t)) for n, t in texts if n != "special"]
            report.compare(f"trained, {name}", "tokenizers", model, plain,
                           lambda text: peer.encode(text).ids, False)
            for alias in aliases:
                vocabularies.write_bpe(model, alias, tokens, merges)
                compare_llama_cpp(report, f"trained, {alias}", model, texts[len(real):])
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
