"""What the outside knows after a run: what was acknowledged, and what stands on the platforms."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.faults_processes import NUMBER
from benchmarks.faults_schedule import Platform
from bot.phrases import PHRASES
from tests.fakes.slack import FakeSlack, read_message
from tests.fakes.teams import FakeTeams

# A voter whose name in the log only the service knows: a browser.
ASKER = "asker"

_APOLOGY = re.compile(re.escape(PHRASES["en"]["apology"]).replace(re.escape("{id}"), r"(i?\d+)"))


@dataclass(slots=True)
class SeenVote:
    """The last acknowledged act of one person on one answer.

    Attributes:
        value: that must stand: -1, 0 or 1.
        words: correction or comment.
        is_certain: whether every act of theirs was acknowledged; else one more or less may have counted.
    """

    value: int = 0
    words: str | None = None
    is_certain: bool = True


@dataclass(slots=True)
class SeenQuestion:
    """A question as who asked it knows it.

    Attributes:
        number: as it stands in question and answer.
        event_key: by which it must be in the inbox.
        place: channel or chat in which it is answered.
        answers: final answers that were shown for it, each with the number that it speaks of.
        apologies: the ids that apologies named.
        votes: by the name of the person in the log.
    """

    number: str
    platform: Platform
    event_key: str = ""
    place: str = ""
    is_acknowledged: bool = False
    answers: list[str] = field(default_factory=list[str])
    apologies: list[str] = field(default_factory=list[str])
    votes: dict[str, SeenVote] = field(default_factory=dict[str, SeenVote])


@dataclass(slots=True)
class Seen:
    """All of them; `unfinished` are messages that never became an answer, as a killed process leaves them."""

    questions: dict[int, SeenQuestion] = field(default_factory=dict[int, SeenQuestion])
    unfinished: int = 0

    def count_votes(self) -> int:
        """Persons and answers with a vote."""
        return sum(len(question.votes) for question in self.questions.values())


def read_platforms(seen: Seen, slack: FakeSlack, teams: FakeTeams) -> None:
    """Note what stands on both platforms now."""
    for place, is_final, text in (*_read_slack(slack), *_read_teams(teams)):
        question = next((one for one in seen.questions.values() if one.place == place), None)
        if question is None:
            continue
        apologies = _APOLOGY.findall(text)
        question.apologies += apologies
        if is_final and (numbers := NUMBER.findall(text)):
            question.answers.append(numbers[0])
        elif not apologies:
            seen.unfinished += 1


def find_slack_answer(slack: FakeSlack, place: str) -> str | None:
    """The time of the message that a vote in this channel goes to, once an answer stands in it."""
    for key, message in slack.messages.items():
        if key.startswith(f"{place}:") and _is_final_on_slack(slack, key, message):
            return key.partition(":")[2]
    return None


def find_teams_answer(teams: FakeTeams, place: str) -> str | None:
    """The id of the message that a vote in this chat goes to."""
    for key, message in teams.messages.items():
        if key.startswith(f"{place}|") and _is_final_on_teams(message):
            return key.rpartition("|")[2]
    return None


def has_apology(slack: FakeSlack, teams: FakeTeams, place: str) -> bool:
    """Whether who asked there was told that it went wrong."""
    return any(
        where == place and _APOLOGY.search(text) for where, _, text in (*_read_slack(slack), *_read_teams(teams))
    )


def _read_slack(slack: FakeSlack) -> Iterator[tuple[str, bool, str]]:
    for key, message in slack.messages.items():
        yield key.partition(":")[0], _is_final_on_slack(slack, key, message), read_message(message)


def _read_teams(teams: FakeTeams) -> Iterator[tuple[str, bool, str]]:
    # Cards with buttons are messages of their own.
    for key, message in teams.said.items():
        yield key.rpartition("|")[0], _is_final_on_teams(message), message["text"]


def _is_final_on_slack(slack: FakeSlack, key: str, message: dict[str, object]) -> bool:
    return key not in slack.streaming and '"vote"' in json.dumps(message["blocks"])


def _is_final_on_teams(message: dict[str, object]) -> bool:
    return message["type"] == "message" and "feedbackLoop" in (message.get("channelData") or {})  # type: ignore[operator]
