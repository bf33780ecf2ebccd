"""A model in llama.cpp through the C interface that llama-cpp-python was built with."""

import ctypes
from pathlib import Path

import llama_cpp as c
import numpy as np

VERSION = f"llama.cpp in llama-cpp-python {c.__version__}"
FLASH_ATTENTION = {False: 0, True: 1}  # llama_flash_attn_type; -1, its default, chooses by itself


@c.llama_log_callback
def _silence(_level, _text, _data):
    pass


c.llama_log_set(_silence, ctypes.c_void_p(0))
c.llama_backend_init()


def library_folder():
    """Where the shared libraries of llama.cpp and ggml are."""
    return Path(c.__file__).parent / "lib"


def system_info():
    return c.llama_print_system_info().decode()


class Model:
    """`flash`: the one-pass attention kernel, else products with the matrix of scores. Keys and values
    are f16 in both. `sequences` share one cache of `context` tokens."""

    def __init__(self, path, context, flash, threads, micro_batch=512, sequences=1):
        self._model = c.llama_model_load_from_file(str(path).encode(), c.llama_model_default_params())
        if not self._model:
            raise SystemExit(f"llama.cpp does not load {path}")
        parameters = c.llama_context_default_params()
        parameters.n_ctx = context
        parameters.n_batch = parameters.n_ubatch = micro_batch
        parameters.n_seq_max = sequences
        parameters.kv_unified = True
        parameters.swa_full = False
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.flash_attn_type = FLASH_ATTENTION[flash]
        parameters.type_k = parameters.type_v = 1  # GGML_TYPE_F16
        self._micro_batch = micro_batch
        self.context = c.llama_init_from_model(self._model, parameters)
        if not self.context:
            raise SystemExit(f"llama.cpp has no room for a context of {context}")
        self._vocab = c.llama_model_get_vocab(self._model)
        self.vocab_size = c.llama_vocab_n_tokens(self._vocab)
        self.memory = c.llama_get_memory(self.context)

    def close(self):
        c.llama_free(self.context)
        c.llama_model_free(self._model)

    def tokenize(self, text):
        """With what the model expects in front, control tokens being text."""
        data = text.encode()
        tokens = (c.llama_token * (len(data) + 16))()
        count = c.llama_tokenize(self._vocab, data, len(data), tokens, len(tokens), True, False)
        return list(tokens[:count])

    def clear(self):
        c.llama_memory_clear(self.memory, True)

    def feed(self, tokens, position, sequence=0):
        """Appends tokens at `position`; the logits after the last one, f32 [vocab]."""
        for first in range(0, len(tokens), self._micro_batch):
            part = tokens[first:first + self._micro_batch]
            batch = c.llama_batch_init(len(part), 0, 1)
            batch.n_tokens = len(part)
            for i, token in enumerate(part):
                batch.token[i] = token
                batch.pos[i] = position + first + i
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = sequence
                batch.logits[i] = first + i + 1 == len(tokens)
            status = c.llama_decode(self.context, batch)
            c.llama_batch_free(batch)
            if status != 0:
                raise SystemExit(f"llama_decode failed with status {status}")
        logits = c.llama_get_logits_ith(self.context, -1)
        return np.ctypeslib.as_array(logits, shape=(self.vocab_size,)).copy()
