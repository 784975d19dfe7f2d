"""Sections and drafts as tests need them."""

from dataclasses import replace
from typing import Any

from core.prompt import detect_language
from learning.exercises.draft import Draft, Related, Section, Source

REGIONS = "\n".join(
    f"Region: {region} | Daily allowance: {dollars} dollars | Hotel: {dollars * 2} dollars"
    for region, dollars in (("Japan", 71), ("Asia", 54), ("Europe", 83), ("America", 88), ("Africa", 66))
)
GLOSSARY = """- Skipper: the person who leads an incident for some hours.
- Bell: the person who tells customers what is happening.
- Buddy: the colleague who looks after a newcomer.
- Mate: the second career level, without daily guidance."""
FERRY = "The ferry leaves at 07:50. It carries eight bicycles and costs nothing.\nA cabin costs 15,000 won a night."


def make_section(text: str, *, heading: str = "Money", title: str = "Travel", document: int = 1) -> Section:
    return Section(document, 1, 0, f"{title}.md", title, heading, detect_language(text), text, ["everyone"])


def make_draft(**changes: Any) -> Draft:
    """An open question about the ferry that passes the checks of a definition."""
    draft = Draft(
        "definition", "structure", "en", "When does the ferry leave?", "It leaves at 07:50.", FERRY, Source(1, 1),
        "faq", "Travel", "Ferry",
    )  # fmt: skip
    return replace(draft, **changes)


def make_choice(**changes: Any) -> Draft:
    """The same as a four-choice item that passes."""
    options = ("at 07:30", "at 07:50", "at 08:10", "at 08:30")
    choice = make_draft(kind="four_choice", answer="at 07:50", options=options, right=1)
    return replace(choice, **changes)


def make_related(text: str, *, document: int = 2) -> Related:
    return Related(document, 1, "Parking", "Bicycles", text)


def count_words(text: str) -> int:
    return len(text.split())
