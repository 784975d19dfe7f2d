"""BERTScore: how alike an answer's tokens and a reference's are in meaning, by an encoder that lies on this machine.

Each token is matched with the likest one of the other side, by the cosine of their embeddings in context; precision is
the mean over the answer's tokens, recall over the reference's, the score their harmonic mean. A negation or another
number changes one token of many, so a high score is no proof of a right answer.

Source: Zhang et al. 2020, arXiv:1904.09675. Where we differ from the package bert-score, which no longer gets releases:
the encoder's last layer instead of one tuned for each encoder, no weights by rarity, no rescaling by a baseline, and
what lies below 0 is 0. Compare numbers of one encoder only.
"""

from collections.abc import Sequence
from typing import Any

from core.errors import InvalidInputError
from core.wording import strip_citations

LONGEST_TOKENS = 510


def measure_bertscore(model: str, answers: Sequence[str], references: Sequence[str]) -> list[float]:
    """F1 in [0, 1] of each answer against its reference; 0 where either has no token.

    Side effects: loads the encoder, for the length of the call.

    Args:
        model: folder, or a name in the local cache; nothing is asked of the network.

    Raises:
        InvalidInputError: there is no such encoder here.
    """
    import torch  # noqa: PLC0415  seconds to import
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415

    try:
        tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
        encoder = AutoModel.from_pretrained(model, local_files_only=True, use_safetensors=True).eval().float()
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"BERTSCORE_MODEL: expected the folder of an encoder, or its name in the local cache, got {model!r}"
        ) from error

    def embed(text: str) -> Any:
        """Unit vectors of a text's own tokens; axes: tokens, dimensions."""
        limits = {"truncation": True, "max_length": min(LONGEST_TOKENS, tokenizer.model_max_length)}
        encoded = tokenizer(strip_citations(text), return_tensors="pt", return_special_tokens_mask=True, **limits)
        is_own = encoded.pop("special_tokens_mask")[0] == 0
        vectors = encoder(**encoded).last_hidden_state[0][is_own]
        return torch.nn.functional.normalize(vectors, dim=-1)

    with torch.inference_mode():
        return [
            match_tokens(embed(answer), embed(reference)) for answer, reference in zip(answers, references, strict=True)
        ]


def match_tokens(answer: Any, reference: Any) -> float:
    """F1 of greedy matching. Axes of both: tokens, dimensions; rows of length 1."""
    if not len(answer) or not len(reference):
        return 0.0
    likeness = answer @ reference.T
    precision, recall = (float(likeness.max(dim=axis).values.mean().clamp(0, 1)) for axis in (1, 0))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
