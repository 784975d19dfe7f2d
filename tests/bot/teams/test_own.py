"""A person's own card and how things stand for them: shown to them alone; consent and forgetting hold at once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.home import Home, Judged, Recent
from bot.own_wording import say_own
from bot.teams.own import OWN
from bot.teams.render_own import ASK_NOW, CONSENT, FORGET_ME, render_forgetting, render_own
from core.consent import Consents
from core.interactions import Interactions
from core.prompt import Language
from tests.bot.teams.conftest import Tenant, load
from tests.bot.teams.screens import check_screen
from tests.fakes.model_server import FakeModelServer
from tests.fakes.teams import PEOPLE, TENANT

ANN = f"teams:{TENANT}:{PEOPLE[0]['objectId']}"
DAY = datetime(2026, 11, 17, 9, tzinfo=UTC)
HOME = Home(
    [Recent(7, "Who approves **travel**?", DAY)],
    [
        Judged(5, "How many days?", DAY, "served", DAY, "You have 24 days.", DAY),
        Judged(4, "x", DAY, "waiting", None, None, None),
    ],
    allows_training=True,
)


def say(text: str, name: str = "message_personal", *, number: int = 1) -> dict[str, Any]:
    return load(name) | {"text": text, "id": f"16900000010{number:02}"}


def click(verb: str, **data: Any) -> dict[str, Any]:
    """A click on the card in the person's own chat."""
    activity = load("execute_again") | {"id": f"f:{verb}{data}"}
    activity["conversation"] = load("message_personal")["conversation"]
    activity["value"]["action"] |= {"verb": verb, "data": {"verb": verb, **data}}
    return activity


def read_card(message: dict[str, Any]) -> str:
    return str(message["attachments"][0]["content"])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_card(language: Language) -> None:
    check_screen(f"own_{language}", render_own(HOME, language))
    check_screen(f"own_empty_{language}", render_own(Home([], [], allows_training=False), language))
    check_screen(f"forgetting_{language}", render_forgetting(language))


async def test_me_shows_what_the_person_asked(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, "message_personal", say("me"))
    *_, card = tenant.teams.messages.values()
    assert "How many days of annual leave" in read_card(card)
    assert await tenant.count("interactions") == 1


async def test_in_a_channel_it_is_shown_in_the_person_s_own_chat(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, say("<at>Nightbake</at> 내 정보", "message_channel_mention"))
    (key,) = tenant.teams.messages
    assert key.startswith("a:chat-29:1ann|")
    assert "학습에 쓰지 않기" in read_card(tenant.teams.messages[key])


async def test_status_says_what_answers_and_what_is_allowed(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, say("status"))
    (message,) = tenant.teams.messages.values()
    lines = [say_own(name, "en", documents="0") for name in ("base_answers", "may_read", "consent_yes")]
    assert message["text"].split("\n\n") == lines


async def test_consent_is_refused_and_given_on_the_card(tenant: Tenant, chat_model: FakeModelServer) -> None:
    (told,) = await tenant.play(chat_model, click(CONSENT, allows=False))
    assert not await Consents(tenant.database).allows_training(ANN)
    assert told["type"] == "application/vnd.microsoft.card.adaptive" and "You may learn from me" in str(told["value"])
    await tenant.play(chat_model, click(CONSENT, allows=True))
    assert await Consents(tenant.database).allows_training(ANN)


async def test_who_wants_to_be_forgotten_is_and_is_told(tenant: Tenant, chat_model: FakeModelServer) -> None:
    (_, told) = await tenant.play(chat_model, "message_personal", click(FORGET_ME))
    assert "erasing" in str(told["value"])
    assert await tenant.count("interactions") == 0
    *_, said = tenant.teams.messages.values()
    assert said["text"] == say_own("erased", "en", questions=1, votes=0)
    rows = await tenant.database.fetch_dicts(b"SELECT payload::text AS payload FROM inbox")
    assert not [row for row in rows if PEOPLE[0]["objectId"] in row["payload"]]


async def test_an_earlier_question_is_asked_anew_by_its_asker_alone(
    tenant: Tenant, chat_model: FakeModelServer
) -> None:
    eve = {"id": "29:1eve", "name": "Eve", "aadObjectId": PEOPLE[2]["objectId"]}
    ask = click(ASK_NOW, interaction_id=1)
    _, refused, taken = await tenant.play(chat_model, "message_personal", ask | {"from": eve, "id": "f:eve"}, ask)
    assert refused["value"] == say_own("not_known", "en")
    assert taken["value"].startswith("You asked this before")
    assert await tenant.count("interactions") == 2
    again = await Interactions(tenant.database).get(2)
    assert (again.asker, again.mode) == (ANN, "generated")


async def test_what_a_person_is_shown_is_no_question_of_theirs(tenant: Tenant, chat_model: FakeModelServer) -> None:
    await tenant.play(chat_model, say("forget me"), say("내 기록 지우기", number=2))
    rows = await tenant.database.fetch_dicts(b"SELECT kind FROM inbox")
    assert [row["kind"] for row in rows] == [OWN, OWN]
