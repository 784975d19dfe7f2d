"""What is known of an answer before it is finished; where the one who asked stops it, this is what is kept."""

import re
from dataclasses import dataclass, field, replace

from bot.phrases import say
from core.model_server import Generation
from core.prompt import Language
from core.records import Outcome
from core.wording import find_citations

_BROKEN_CITATION = re.compile(r"\s*\[\d*$")


@dataclass(slots=True)
class Draft:
    """An answer under way.

    Attributes:
        seed: draws another wording than the most likely one; None where the answer is not asked for again.
        shown: what the person has seen of the model's text.
        pieces: of the model's text, as they came; a server counts tokens only at the end of an answer.
    """

    outcome: Outcome
    generation: Generation = field(default_factory=Generation)
    shown: str = ""
    pieces: int = 0
    seed: int | None = None

    def with_generation(self) -> Outcome:
        """The outcome with what the model said and what that took."""
        counted = self.generation.completion_tokens
        return replace(
            self.outcome,
            generated=self.generation.text or None,
            prompt_tokens=self.generation.prompt_tokens,
            completion_tokens=self.pieces or None if counted is None else counted,
            first_token_seconds=self.generation.first_token_seconds,
        )


def keep_stopped(draft: Draft, language: Language) -> Outcome:
    """What the person saw so far as the answer, not held against the passages; our own line where it is nothing."""
    text = _BROKEN_CITATION.sub("", draft.shown.strip())
    outcome = replace(draft.with_generation(), mode="stopped", mode_reason="stopped")
    if not text:
        return replace(outcome, answer=say("stopped_early", language), mode_reason="stopped_early")
    known = {passage.number for passage in outcome.passages}
    return replace(outcome, answer=text, citations=[number for number in find_citations(text) if number in known])
