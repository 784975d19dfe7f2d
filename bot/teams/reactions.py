"""Which reactions of Teams are votes: the thumbs of the message bar and of the emoji menu, in any skin colour."""

import re
from collections.abc import Sequence
from typing import Any

from core.records import Vote

_VOTES: dict[str, Vote] = {"like": 1, "yes": 1, "thumbsup": 1, "dislike": -1, "no": -1, "thumbsdown": -1}
# `1f44d_thumbsup-tone3`: a code point before the name, a skin colour after it.
_NAME = re.compile(r"^(?:[0-9a-f]{4,6}_)?([a-z]+)(?:-tone\d)?$")


def find_vote(reactions: Sequence[Any] | None) -> Vote | None:
    """The vote that some reactions of one activity stand for; None where none of them is a thumb."""
    for reaction in reactions or []:
        name = _NAME.match(str(reaction.get("type")))
        if name and (vote := _VOTES.get(name[1])):
            return vote
    return None
