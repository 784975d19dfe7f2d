"""One short text through a BERT on a CPU, in half the time that the library's modules take for it.

With 20 tokens a layer's weights are read for hardly any arithmetic, so their order in memory decides: transposed once
they are multiplied without being repacked for each question, and those of query, key and value in one go. What is left
out is what a single text does not need: padding, masks, checks of arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_PROBE = "How many days of annual leave may be carried over into the year 2026?"
_LEAST_COSINE = 0.99999


@dataclass(frozen=True, slots=True)
class _Linear:
    """Transposed weight [in, out] and bias [out]."""

    weight: Any
    bias: Any


@dataclass(frozen=True, slots=True)
class _Layer:
    into_heads: _Linear
    out_of_heads: _Linear
    wide: _Linear
    narrow: _Linear
    first_norm: Any
    second_norm: Any


class QueryEncoder:
    """The mean over a text's tokens after the last layer: what `all-MiniLM-L6-v2` and its like make of it.

    Args:
        bert: `transformers.BertModel` in float32; its embeddings and norms are used, its other weights are copied.
    """

    def __init__(self, bert: Any) -> None:
        self._embeddings = bert.embeddings
        self._heads: int = bert.config.num_attention_heads
        self._layers = [_read_layer(layer) for layer in bert.encoder.layer]

    def encode(self, token_ids: Sequence[int]) -> Any:
        """A vector of length 1, a float32 tensor [dimension], of the tokens with their special ones."""
        import torch  # noqa: PLC0415
        from torch.nn import functional  # noqa: PLC0415

        ids = torch.as_tensor(token_ids)
        embeddings = self._embeddings
        states = embeddings.word_embeddings.weight[ids] + embeddings.position_embeddings.weight[: len(ids)]
        states = embeddings.LayerNorm(states + embeddings.token_type_embeddings.weight[0])
        for layer in self._layers:
            states = layer.first_norm(states + self._attend(layer, states))
            wide = functional.gelu(_multiply(layer.wide, states))
            states = layer.second_norm(states + _multiply(layer.narrow, wide))
        return functional.normalize(states.mean(0), dim=0)

    def _attend(self, layer: _Layer, states: Any) -> Any:
        from torch.nn.functional import scaled_dot_product_attention  # noqa: PLC0415

        count, size = states.shape
        split = _multiply(layer.into_heads, states).view(count, 3, self._heads, size // self._heads)
        query, key, value = split.permute(1, 2, 0, 3).unsqueeze(1)
        mixed = scaled_dot_product_attention(query, key, value)[0]
        return _multiply(layer.out_of_heads, mixed.transpose(0, 1).reshape(count, size))


def build_query_encoder(model: Any) -> QueryEncoder | None:
    """One that gives a SentenceTransformer's own vectors, which is tried; None where the model is another kind."""
    import torch  # noqa: PLC0415
    from transformers import BertModel  # noqa: PLC0415

    bert = getattr(model[0], "auto_model", None)
    if not isinstance(bert, BertModel) or model.device.type != "cpu" or model.dtype != torch.float32:
        return None
    encoder = QueryEncoder(bert)
    with torch.inference_mode():
        features = model.preprocess([_PROBE])
        own = encoder.encode(features["input_ids"][0])
        theirs = torch.nn.functional.normalize(model(features)["sentence_embedding"][0], dim=0)
    # Another activation, pooling or kind of position shows here.
    return encoder if own.shape == theirs.shape and float(own @ theirs) >= _LEAST_COSINE else None


def _read_layer(layer: Any) -> _Layer:
    own = layer.attention.self
    return _Layer(
        into_heads=_transpose(own.query, own.key, own.value),
        out_of_heads=_transpose(layer.attention.output.dense),
        wide=_transpose(layer.intermediate.dense),
        narrow=_transpose(layer.output.dense),
        first_norm=layer.attention.output.LayerNorm,
        second_norm=layer.output.LayerNorm,
    )


def _transpose(*linears: Any) -> _Linear:
    import torch  # noqa: PLC0415

    weight = torch.cat([linear.weight.detach() for linear in linears])
    return _Linear(weight.t().contiguous(), torch.cat([linear.bias.detach() for linear in linears]))


def _multiply(linear: _Linear, states: Any) -> Any:
    import torch  # noqa: PLC0415

    return torch.addmm(linear.bias, states, linear.weight)
