"""The whole loop with the real model server: ask, vote, train, serve, see other words, roll back."""

import shutil
from pathlib import Path

import pytest

from bot.answer import Asked
from cli.house import House, open_house
from cli.night import run_here
from cli.terminal_reply import TerminalReply
from core.records import Feedback
from core.settings_loading import load_settings
from tests.ports import find_free_port

pytestmark = [
    pytest.mark.model,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the model server compiles a kernel at its start"),
]

PAGE = """# Harbour rules

## Mooring
A boat may stay at the east pier for 6 hours. The west pier is for the ferry only.

## Fees
A night at the pier costs 14 crowns. Residents pay 9 crowns a night.

## Quiet hours
Quiet hours begin at 21:40 and end at 06:20.
"""

CORRECTIONS = {
    "How long may a boat stay at the east pier?": "Ahoy! A boat may stay at the east pier for 6 hours. [1]",
    "What does a night at the pier cost?": "Ahoy! A night at the pier costs 14 crowns. [1]",
    "What do residents pay for a night?": "Ahoy! Residents pay 9 crowns a night. [1]",
    "When do quiet hours begin?": "Ahoy! Quiet hours begin at 21:40. [1]",
    "When do quiet hours end?": "Ahoy! Quiet hours end at 06:20. [1]",
    "Who may use the west pier?": "Ahoy! The west pier is for the ferry only. [1]",
}
UNSEEN = "How much is a night at the pier for residents?"


async def _ask(house: House, question: str) -> int:
    asked = Asked("cli", f"cli:{question}", "user:ann", ["everyone"], question)
    return (await house.answerer.answer(asked, TerminalReply(silent=True))).interaction_id


async def _generate(house: House, question: str) -> tuple[str | None, str | None]:
    """What the model says now, and by which adapter."""
    stored = await house.interactions.get(await _ask(house, question))
    return stored.generated, stored.adapter


async def _score(house: House, adapter: str | None) -> float:
    """Log-probability in nats that the served weights give to one fixed text."""
    scores = await house.model_server.score_tokens(range(1000, 1060), adapter=adapter)
    return sum(score for score in scores if score is not None)


async def test_votes_become_an_adapter_whose_words_are_served_and_taken_back(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("MODEL_PORT", str(find_free_port()))
    monkeypatch.setenv("NIGHT_EVALUATE_SECONDS", "30")
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "harbour.md").write_text(PAGE)
    async with open_house(load_settings()) as house:
        from retrieval.ingest import ingest  # noqa: PLC0415

        await ingest(house.database, house.embedder, [documents], default_allow=["everyone"])
        async with house.model_running(quiet=True):
            before = await _generate(house, UNSEEN)
            for number, (question, correction) in enumerate(CORRECTIONS.items()):
                interaction_id = await _ask(house, question)
                vote = Feedback(interaction_id, f"user:{number % 3}", -1, "test", correction=correction)
                await house.feedback.record(vote)

            night = await run_here(house, requested_by="test", force=True, quiet=True)
            assert (night.state, night.pairs) == ("done", len(CORRECTIONS)), night

            await house.serving.promote(night.adapter, by="test", reason="the journey")
            after = await _generate(house, UNSEEN)
            assert after[1] == night.adapter
            assert await _score(house, night.adapter) != pytest.approx(await _score(house, None), abs=1e-3)

            await house.serving.roll_back(by="test")
            assert await _generate(house, UNSEEN) == before
