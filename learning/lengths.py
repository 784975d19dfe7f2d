"""Pairs whose prompt and longer answer exceed what the model server takes: shortened as the bot shortens, or refused.

The trainer itself cuts nothing and drops nothing, so this is the only place where a pair's length decides.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Database
from core.fitting import count_fitting, estimate_tokens, fits
from core.prompt import PromptPassage, build_messages
from core.wording import find_citations
from learning.labels import Answer, find_answers
from learning.pairs import Pair
from learning.refusals import find_unsupported

REASON = "too_long"
_QUESTION = "\n\nQuestion: "
# Answers held in full at once.
AT_ONCE = 200


async def fit_stored(
    database: Database, pairs: Sequence[Pair], *, context_tokens: int
) -> tuple[list[Pair], list[tuple[Pair, str]]]:
    """The pairs, long ones with fewer passages; and those that cannot be shortened, with the reason."""
    long = [at for at, pair in enumerate(pairs) if not has_room(pair, context_tokens=context_tokens)]
    shortened: dict[int, Pair | None] = {}
    for begin in range(0, len(long), AT_ONCE):
        some = long[begin : begin + AT_ONCE]
        first = {at: next(iter(pairs[at].interaction_ids), None) for at in some}
        answers = await find_answers(database, [id_ for id_ in first.values() if id_ is not None])
        for at in some:
            # A pair of an exercise has no answer that its passages could be read from.
            answer = answers.get(first[at] or 0)
            shortened[at] = shorten(pairs[at], answer, context_tokens=context_tokens) if answer else None
    kept = [fitted for at, pair in enumerate(pairs) if (fitted := shortened.get(at, pair))]
    return kept, [(pairs[at], REASON) for at in long if shortened[at] is None]


def has_room(pair: Pair, *, context_tokens: int) -> bool:
    """Whether the prompt and the longer answer fit into the server's context."""
    return fits(pair.prompt, context_tokens=context_tokens, answer_tokens=count_answer(pair))


def count_answer(pair: Pair) -> int:
    """Estimated tokens of the longer side."""
    return max(estimate_tokens(pair.chosen), estimate_tokens(pair.rejected))


def shorten(pair: Pair, answer: Answer, *, context_tokens: int) -> Pair | None:
    """The pair without its lowest ranked passages.

    None where it would be another pair: no passage has room, a side cites one that went, what is preferred is not
    carried by those that stay, or the prompt is not laid out from the answer's passages.
    """
    passages = answer.passages or []
    shown = [PromptPassage(one["title"], one.get("heading_path", ""), one["text"]) for one in passages]
    question = find_question(pair, shown)
    if question is None:
        return None
    limits = {"context_tokens": context_tokens, "answer_tokens": count_answer(pair)}
    count = count_fitting(question, shown[:-1], **limits)
    cited = {*find_citations(pair.chosen), *find_citations(pair.rejected)}
    if not count or any(number > count for number in cited):
        return None
    if find_unsupported(pair.chosen, replace(answer, passages=passages[:count])):
        return None
    prompt = [*pair.prompt[:-1], build_messages(question, shown[:count])[-1]]
    return replace(pair, prompt=prompt, why=tuple(sorted({*pair.why, f"shortened:{count}"})))


def find_question(pair: Pair, shown: Sequence[PromptPassage]) -> str | None:
    """The question as it stands in the prompt after these passages; None where they do not stand there."""
    if not shown or not pair.prompt:
        return None
    frame = build_messages("", shown)[-1]["content"]
    content = pair.prompt[-1]["content"]
    return content[len(frame) :] if frame.endswith(_QUESTION) and content.startswith(frame) else None
