"""One short text through a BERT on a CPU, in half the time that the library's modules take for it.

With 20 tokens a layer's weights are read for hardly any arithmetic, so their size and order in memory decide: kept in
float16 half as much is read, packed once nothing is repacked for each question, and those of query, key and value are
multiplied in one go. The arithmetic is float32 and the cosine to the library's vectors 0.9999998 (docs/log.md). What is
left out is what a single text does not need: padding, masks, checks of arguments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

_PROBE = "How many days of annual leave may be carried over into the year 2026?"
_LEAST_COSINE = 0.99999


# States [tokens, in] to [tokens, out].
Product = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Layer:
    into_heads: Product
    out_of_heads: Product
    wide: Product
    narrow: Product
    first_norm: Any
    second_norm: Any


class QueryEncoder:
    """The mean over a text's tokens after the last layer: what `all-MiniLM-L6-v2` and its like make of it.

    Args:
        bert: `transformers.BertModel` in float32; its embeddings and norms are used, its other weights are copied.
        tokenizer: of this encoder alone, so that no question waits while a batch is cut into tokens.
        pack: what multiplies by a weight [out, in] and adds a bias [out].
    """

    def __init__(self, bert: Any, tokenizer: Tokenizer, pack: Callable[[Any, Any], Product]) -> None:
        self._tokenizer = tokenizer
        self._embeddings = bert.embeddings
        self._heads: int = bert.config.num_attention_heads
        self._layers = [_read_layer(layer, pack) for layer in bert.encoder.layer]

    def encode(self, text: str) -> Any:
        """A vector of length 1, a float32 tensor [dimension]."""
        import torch  # noqa: PLC0415
        from torch.nn import functional  # noqa: PLC0415

        ids = torch.as_tensor(self._tokenizer.encode(text).ids)
        embeddings = self._embeddings
        states = embeddings.word_embeddings.weight[ids] + embeddings.position_embeddings.weight[: len(ids)]
        states = embeddings.LayerNorm(states + embeddings.token_type_embeddings.weight[0])
        for layer in self._layers:
            states = layer.first_norm(states + self._attend(layer, states))
            wide = functional.gelu(layer.wide(states))
            states = layer.second_norm(states + layer.narrow(wide))
        return functional.normalize(states.mean(0), dim=0)

    def _attend(self, layer: _Layer, states: Any) -> Any:
        from torch.nn.functional import scaled_dot_product_attention  # noqa: PLC0415

        count, size = states.shape
        split = layer.into_heads(states).view(count, 3, self._heads, size // self._heads)
        query, key, value = split.permute(1, 2, 0, 3).unsqueeze(1)
        mixed = scaled_dot_product_attention(query, key, value)[0]
        return layer.out_of_heads(mixed.transpose(0, 1).reshape(count, size))


def build_query_encoder(model: Any) -> QueryEncoder | None:
    """One that gives a SentenceTransformer's own vectors, which is tried; None where the model is another kind."""
    import torch  # noqa: PLC0415
    from transformers import BertModel  # noqa: PLC0415

    bert = getattr(model[0], "auto_model", None)
    if not isinstance(bert, BertModel) or model.device.type != "cpu" or model.dtype != torch.float32:
        return None
    with torch.inference_mode():
        theirs = torch.nn.functional.normalize(model(model.preprocess([_PROBE]))["sentence_embedding"][0], dim=0)
        for pack in (_pack_float16, _pack_float32):
            try:
                encoder = QueryEncoder(bert, _copy_tokenizer(model), pack)
                own = encoder.encode(_PROBE)
            except RuntimeError:
                # This build of torch has no such product.
                continue
            # Another activation, pooling or kind of position shows here, and a weight beyond float16.
            if own.shape == theirs.shape and float(own @ theirs) >= _LEAST_COSINE:
                return encoder
    return None


def _copy_tokenizer(model: Any) -> Tokenizer:
    tokenizer: Any = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.max_seq_length)
    return tokenizer


def _read_layer(layer: Any, pack: Callable[[Any, Any], Product]) -> _Layer:
    own = layer.attention.self
    return _Layer(
        into_heads=_join(pack, own.query, own.key, own.value),
        out_of_heads=_join(pack, layer.attention.output.dense),
        wide=_join(pack, layer.intermediate.dense),
        narrow=_join(pack, layer.output.dense),
        first_norm=layer.attention.output.LayerNorm,
        second_norm=layer.output.LayerNorm,
    )


def _join(pack: Callable[[Any, Any], Product], *linears: Any) -> Product:
    import torch  # noqa: PLC0415

    weight, bias = ([getattr(linear, name).detach() for linear in linears] for name in ("weight", "bias"))
    return pack(torch.cat(weight), torch.cat(bias))


def _pack_float16(weight: Any, bias: Any) -> Product:
    """FBGEMM's product: weights are widened in the processor's registers."""
    import torch  # noqa: PLC0415

    packed = torch.ops.quantized.linear_prepack_fp16(weight, bias)
    multiply = torch.ops.quantized.linear_dynamic_fp16
    return lambda states: multiply(states, packed)


def _pack_float32(weight: Any, bias: Any) -> Product:
    import torch  # noqa: PLC0415

    transposed = weight.t().contiguous()
    return lambda states: torch.addmm(bias, states, transposed)
