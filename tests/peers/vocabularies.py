"""GGUF files that hold a vocabulary and nothing else, for comparing tokenizers."""

import gguf
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
GPT2 = CONTRACTIONS + r"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (f"(?i:{CONTRACTIONS})" + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
# What each name of tokenizer.ggml.pre stands for: the expressions, in turn.
PRE_TOKENIZERS = {
    "llama-bpe": [LLAMA3],
    "qwen2": [QWEN2],
    "smollm": [r"\p{N}", GPT2],
    "gpt-2": [GPT2],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
}
ALIASES = {
    "llama-bpe": ["llama3", "llama-v3", "falcon3", "dbrx", "smaug-bpe"],
    "qwen2": ["deepseek-r1-qwen", "megrez", "hunyuan"],
    "smollm": ["starcoder", "refact", "codeshell", "command-r"],
    "gpt-2": ["phi-2", "olmo", "mpt"],
    "default": [],
}
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
USER_DEFINED = ["<tool_call>", "<tool_call>x", "\n\n\n\n"]


def _split(expressions):
    steps = [pre_tokenizers.Split(Regex(e), behavior="isolated") for e in expressions]
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    return pre_tokenizers.Sequence(steps)


def train(texts, size):
    """Byte-level BPE of `size` tokens, learnt from the texts: (tokens in order, merges)."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _split([GPT2])
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    import json
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    return tokens, merges


def hugging_face(name, tokens, merges):
    """The same vocabulary in the tokenizers package."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary,
                                     merges=[tuple(m.split(" ")) for m in merges],
                                     ignore_merges=name == "llama-bpe"))
    tokenizer.pre_tokenizer = _split(PRE_TOKENIZERS[name])
    return tokenizer


def _writer(path):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    return writer


def _finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_bpe(path, pre, tokens, merges):
    special = CONTROL + USER_DEFINED
    kinds = [1] * len(tokens) + [3] * len(CONTROL) + [4] * len(USER_DEFINED)
    writer = _writer(path)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens + special)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(len(tokens))
    writer.add_bos_token_id(len(tokens))
    _finish(writer)


def write_sentence_piece(path, entries, space_prefix):
    """Entries are (name, score, kind); the first three are unknown, BOS and EOS."""
    writer = _writer(path)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([name for name, _, _ in entries])
    writer.add_token_scores([score for _, score, _ in entries])
    writer.add_token_types([kind for _, _, kind in entries])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(space_prefix)
    _finish(writer)


def rewrite_sentence_piece(source, path, space_prefix):
    """The vocabulary of the SentencePiece model in `source`, with another prefix rule. Its
    user-defined tokens become normal ones: llama.cpp begins anew behind them, with another blank,
    where SentencePiece and we do not."""
    fields = gguf.GGUFReader(source).fields
    writer = _writer(path)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(fields["tokenizer.ggml.tokens"].contents())
    writer.add_token_scores(fields["tokenizer.ggml.scores"].contents())
    kinds = fields["tokenizer.ggml.token_type"].contents()
    writer.add_token_types([1 if kind == 4 else kind for kind in kinds])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_add_space_prefix(space_prefix)
    _finish(writer)
