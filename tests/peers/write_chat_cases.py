#!/usr/bin/env python3
"""Writes tests/engine/data/chat_cases.json: conversations as llama.cpp renders them, for the same
marks of a template that a file would have. usage: write_chat_cases.py > the file"""

import json
import sys

from llama_vocabulary import ffi, lib, version

# Enough of each family's template to be recognised, in the words of the real ones.
TEMPLATES = {
    "chatml": "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'}}",
    "llama3": "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'",
    "gemma": "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>' }}",
    "mistral v1": "{{ ' [INST] ' + system_message + '\\n\\n' + content + ' [/INST]' }}",
    "mistral v3": "[AVAILABLE_TOOLS] {{ '[INST] ' + content + '[/INST]' }}",
    "mistral v3 tekken": '[AVAILABLE_TOOLS] {{ "[INST]" + content + "[/INST]" }}',
    "mistral-v7": "'[SYSTEM_PROMPT] ' + system + '[/SYSTEM_PROMPT]' '[INST] ' + content",
    "zephyr": "'<|user|>\\n' + message['content'] + '<|endoftext|>'",
    "phi3": "'<|user|>\\n' + message['content'] + '<|end|>\\n<|assistant|>\\n'",
}
CONVERSATIONS = [
    [("user", "Hello there.")],
    [("system", "Be brief."), ("user", "  Hello, \n")],
    [("user", "One"), ("assistant", "Two"), ("user", "Three")],
    [("system", "Count."), ("user", "One"), ("assistant", "Two"), ("user", "Three")],
]


def render(template, conversation):
    texts = [(ffi.new("char[]", role.encode()), ffi.new("char[]", content.encode()))
             for role, content in conversation]
    chat = ffi.new("struct llama_chat_message[]", len(texts))
    for message, (role, content) in zip(chat, texts):
        message.role, message.content = role, content
    room = ffi.new("char[]", 4096)
    count = lib.llama_chat_apply_template(template.encode(), chat, len(texts), True, room, 4096)
    if count < 0:
        raise SystemExit(f"llama.cpp does not know {template}")
    return ffi.buffer(room, count)[:].decode()


def main():
    cases = [{"family": name, "template": template, "messages": conversation,
              "text": render(template, conversation)}
             for name, template in TEMPLATES.items() for conversation in CONVERSATIONS]
    json.dump({"source": f"llama.cpp {version}", "cases": cases}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
