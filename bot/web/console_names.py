"""What is stored, in the words of the console: modes, stages and reasons by name, counts with their noun."""

import re

from bot.web.console_wording import CONSOLE
from core.prompt import Language

# What the night writes when it switches: `night 2026-11-20: better`.
_NIGHTS_REASON = re.compile(r"night (\d{4}-\d\d-\d\d): (\w+)")


def name_value(kind: str, value: str, language: Language) -> str:
    """A stored value in words, such as a mode or a stage; one that we have no words for as it is."""
    return CONSOLE[language].get(f"{kind}_{value}", value.replace("_", " "))


def count_in_words(what: str, number: int, language: Language) -> str:
    """`1 person`, `2 people`, `2명`."""
    words = CONSOLE[language]
    return words[f"{what}_one"] if number == 1 else words[what].format(n=number)


def name_switch_reason(reason: str, language: Language) -> str:
    """Why an adapter was switched to: our own reasons in words, a person's as they wrote it."""
    if found := _NIGHTS_REASON.fullmatch(reason):
        night = CONSOLE[language]["night_of"].format(night=found[1])
        return f"{night}: {name_value('reason', found[2], language)}"
    return CONSOLE[language].get(f"switch_{reason}", reason)
