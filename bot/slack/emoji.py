"""Which emoji reactions are votes: names as Slack sends them, without colons, skin tone or alias."""

from collections.abc import Iterable

from core.errors import SettingsError
from core.records import Vote

# Two names of one emoji; the event carries the one that the person typed or picked.
_ALIASES = {
    "thumbsup": "+1",
    "thumbsdown": "-1",
    "hankey": "poop",
    "shit": "poop",
    "satisfied": "laughing",
    "exclamation": "heavy_exclamation_mark",
    "collision": "boom",
    "facepunch": "punch",
}


class Emoji:
    """Reads a reaction as a vote.

    Args:
        up: names of emoji that like an answer; `down` of those that dislike it.

    Raises:
        SettingsError: one emoji is in both.
    """

    def __init__(self, up: Iterable[str] = ("+1",), down: Iterable[str] = ("-1",)) -> None:
        liking, disliking = set(map(normalise_emoji, up)), set(map(normalise_emoji, down))
        if both := sorted(liking & disliking):
            raise SettingsError(
                [f"SLACK_EMOJI_UP, SLACK_EMOJI_DOWN: expected different emoji, got {both[0]!r} in both"]
            )
        self._votes: dict[str, Vote] = {name: 1 if name in liking else -1 for name in liking | disliking}

    def find_vote(self, reaction: str) -> Vote | None:
        """The vote that a reaction stands for; None for any other emoji."""
        return self._votes.get(normalise_emoji(reaction))


def normalise_emoji(name: str) -> str:
    """`:thumbsup::skin-tone-3:` as `+1`."""
    bare = name.strip().strip(":").partition("::")[0].lower()
    return _ALIASES.get(bare, bare)
