"""What tests of the starter adapter train: a random Llama of two layers, and chats over the bytes of their text."""

from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM


class ByteTokenizer:
    """A chat template with real turns over UTF-8 bytes; `<|im_end|>` is token 2."""

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        turns = [f"<{message['role']}>{message['content'][-90:]}<|im_end|>" for message in messages]
        return "".join(turns) + "<assistant>"

    def encode(self, text, add_special_tokens):
        pieces = text.split("<|im_end|>")
        tokens = [[3 + byte for byte in piece.encode()] for piece in pieces]
        return [token for piece in tokens[:-1] for token in [*piece, 2]] + tokens[-1]

    def decode(self, tokens, skip_special_tokens):
        return bytes(token - 3 for token in tokens if token > 2).decode(errors="replace")

    def convert_tokens_to_ids(self, token):
        return 2


def make_llama(seed: int, **changes: Any) -> LlamaForCausalLM:
    """The same random weights for the same seed."""
    torch.manual_seed(seed)
    shape: dict[str, Any] = {
        "vocab_size": 259,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "attn_implementation": "sdpa",
    }
    return LlamaForCausalLM(LlamaConfig(**(shape | changes)))
