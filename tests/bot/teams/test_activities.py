"""Activities in our words, without a server."""

from typing import Any

import pytest

from bot.teams.posts import to_question
from bot.teams.reactions import find_vote
from bot.teams.reading import make_reply_key, read_html, read_quoted, read_text
from tests.bot.teams.conftest import load

OWN = {"id": "28:11111111-aaaa-4444-8888-000000000001", "name": "Nightbake"}


def mention(name: str, text: str) -> dict[str, Any]:
    return {"type": "mention", "mentioned": {"id": OWN["id"] if name == "own" else name}, "text": text}


@pytest.mark.parametrize(
    ("text", "entities", "read"),
    [
        ("<at>Nightbake</at>&nbsp;hello", [mention("own", "<at>Nightbake</at>")], "hello"),
        ("ask <at>Bob</at> now", [mention("29:bob", "<at>Bob</at>")], "ask Bob now"),
        ('<at id="0">Nightbake</at> a &lt; b', [mention("own", '<at id="0">Nightbake</at>')], "a < b"),
        ("연차는\xa0며칠인가요?", [], "연차는 며칠인가요?"),
    ],
)
def test_a_message_is_read_as_it_was_typed(text: str, entities: list[dict[str, Any]], read: str) -> None:
    assert read_text({"text": text, "entities": entities, "recipient": OWN}) == read


@pytest.mark.parametrize("name", ["message_own_echo", "message_channel_no_mention"])
def test_what_is_not_for_us_is_no_question(name: str) -> None:
    assert to_question(load(name)) is None


@pytest.mark.parametrize(
    ("reaction", "vote"),
    [
        ("like", 1),
        ("1f44d_thumbsup-tone3", 1),
        ("yes-tone2", 1),
        ("1f44e_thumbsdown", -1),
        ("heart", None),
        ("no-entry", None),
        ("", None),
    ],
)
def test_thumbs_of_any_colour_are_votes(reaction: str, vote: int | None) -> None:
    assert find_vote([{"type": reaction}]) == vote


def test_html_is_read_as_its_words() -> None:
    assert read_html("<p>How many&nbsp;days?</p><p><b>a &lt; b</b></p>") == "How many days?\na < b"


@pytest.mark.parametrize(
    ("content", "quoted"),
    [
        ('{"messagePreview": "When is payday?", "messageSender": {"user": {"id": "1"}}}', "When is payday?"),
        ('{"messagePreview": "23 days", "messageSender": {"application": {"id": "1"}}}', None),
        ("[]", None),
        ("{", None),
        (None, None),
    ],
)
def test_a_quoted_message_of_a_person_is_read(content: str | None, quoted: str | None) -> None:
    activity = {"attachments": [{"contentType": "text/html"}, {"contentType": "messageReference", "content": content}]}
    assert read_quoted(activity) == quoted


def test_a_reaction_names_the_answer_with_or_without_its_thread() -> None:
    keys = {make_reply_key(conversation, "17") for conversation in ("19:a@thread", "19:a@thread;messageid=16")}
    assert keys == {"19:a@thread|17"}
