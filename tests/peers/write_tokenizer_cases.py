#!/usr/bin/env python3
"""Writes tests/engine/data/tokenizer_cases.json: small vocabularies, and what llama.cpp makes of
texts with them. usage: write_tokenizer_cases.py TEXT GEMMA3_270M.gguf > tests/engine/data/tokenizer_cases.json

The vocabularies are learnt from the beginning of TEXT; the ids of byte-level BPE must be those of the
tokenizers package too, or the script fails."""

import json
import sys
import tempfile
from pathlib import Path

import vocabularies
from llama_vocabulary import Vocabulary, version

TEXTS = [
    "", " ", "a", "Hello, world!", "  two blanks", "trailing  ", "tab\tand\nlines\n\n\nend",
    "In the beginning God created the heaven and the earth.",
    "And the earth was without form, and void; 1:2 and 1234567890 days",
    "I'll say they've gone; he's DON'T I'LL we'Re 'tis '", "x=1;y+=22;\r\nif(a<=b){c^=~d|e;}",
    "caf\u00e9 na\u00efve \u0416\u0438\u0437\u043d\u044c \u4f60\u597d \u0e2a\u0e27 \ud55c\uad6d",
    "\U0001f469\u200d\U0001f469 \u00bd \u2167 \u0663\u0664 \uff11\uff12\uff13\uff14 $5.00 \u20ac9",
    "\u3000wide\u3000blank\u00a0and\u2028line", "<|im_start|>user\nhi<|im_end|>\n<tool_call>x</s>",
    "\n\n\n\n\n<s>beginning</s> <0x0A> <unk>", "heaven" * 40, "\u0301combining e\u0301\u0302",
    "MixedCASEwords and_snake_case-kebab.case", "    indented\n        deeper\n",
]
SENTENCE_PIECE_SPECIAL = [("<unk>", 2), ("<s>", 3), ("</s>", 3), ("\n\n", 4), ("<tool_call>", 4)]


def sentence_piece(tokens):
    """(name, score, kind) of a SentencePiece vocabulary with the words of a byte-level one."""
    alphabet = bytes_of_alphabet()
    entries = [(name, 0.0, kind) for name, kind in SENTENCE_PIECE_SPECIAL]
    entries += [(f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)]
    for rank, token in enumerate(tokens):
        data = bytes(alphabet[c] for c in token)
        if data.isascii() and data != b"\n":
            entries.append((data.decode().replace(" ", "\u2581"), -float(rank), 1))
    return entries


def bytes_of_alphabet():
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {**{chr(b): b for b in plain}, **{chr(256 + i): b for i, b in enumerate(rest)}}


def cases(path, special_values):
    peer = Vocabulary(path)
    found = [{"text": text, "special": special, "ids": list(peer.tokenize(text, special))}
             for text in TEXTS for special in special_values]
    peer.close()
    return found


def main():
    text = Path(sys.argv[1]).read_text(encoding="utf-8")[:300000]
    tokens, merges = vocabularies.train([text], 900)
    result = {"source": f"llama.cpp {version}", "bpe_tokens": tokens, "bpe_merges": merges,
              "bpe_control": vocabularies.CONTROL, "bpe_user_defined": vocabularies.USER_DEFINED,
              "bpe_cases": {}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.gguf"
        for name in vocabularies.PRE_TOKENIZERS:
            vocabularies.write_bpe(path, name, tokens, merges)
            result["bpe_cases"][name] = cases(path, [False, True])
            second = vocabularies.hugging_face(name, tokens, merges)
            for case in result["bpe_cases"][name]:
                plain = not any(s in case["text"] for s in
                                vocabularies.CONTROL + vocabularies.USER_DEFINED)
                if plain and second.encode(case["text"]).ids != case["ids"]:
                    raise SystemExit(f"{name}: the two peers differ on {case['text']!r}")
        entries = sentence_piece(tokens)
        result["sentence_piece_tokens"] = entries
        result["sentence_piece_cases"] = {}
        for prefix in (False, True):
            vocabularies.write_sentence_piece(path, entries, prefix)
            result["sentence_piece_cases"]["prefix" if prefix else "plain"] = cases(
                path, [False, True])
    result["gemma_cases"] = cases(sys.argv[2], [False, True])
    json.dump(result, sys.stdout, ensure_ascii=True, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
