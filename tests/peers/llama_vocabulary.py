"""The vocabulary of a GGUF file in llama.cpp, through the library inside llama-cpp-py-sync."""

from llama_cpp_py_sync import _cffi_bindings as bindings
from llama_cpp_py_sync import __llama_cpp_tag__ as version  # noqa: F401

ffi, lib = bindings.get_ffi(), bindings.get_lib()
_silence = ffi.callback("void(enum ggml_log_level, const char *, void *)", lambda *_: None)
lib.llama_log_set(_silence, ffi.NULL)
lib.llama_backend_init()


class Vocabulary:
    def __init__(self, path):
        parameters = lib.llama_model_default_params()
        parameters.vocab_only = True
        self._model = lib.llama_model_load_from_file(str(path).encode(), parameters)
        if self._model == ffi.NULL:
            raise SystemExit(f"llama.cpp does not load {path}")
        self._vocab = lib.llama_model_get_vocab(self._model)

    def close(self):
        lib.llama_model_free(self._model)

    def size(self):
        return lib.llama_vocab_n_tokens(self._vocab)

    def tokenize(self, text, parse_special):
        data = text.encode()
        room = 2 * len(data) + 16  # a blank may come in front of each part
        tokens = ffi.new("llama_token[]", room)
        count = lib.llama_tokenize(self._vocab, data, len(data), tokens, room, False, parse_special)
        return ffi.unpack(tokens, count)

    def is_end(self, token):
        return bool(lib.llama_vocab_is_eog(self._vocab, token))

    def adds_bos(self):
        return bool(lib.llama_vocab_get_add_bos(self._vocab))
