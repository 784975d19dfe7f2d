"""Answers as Teams messages. Pure, and the one place where text of models and documents becomes Teams' Markdown."""

import re
from typing import Any

from bot.reply import FinishedAnswer, Source
from bot.teams.cards import make_attachment, make_card, make_execute
from bot.teams.markdown import split, to_markdown
from bot.teams.render_feedback import render_feedback
from core.prompt import Language

Message = dict[str, Any]

# Limits of a citation that Teams shows.
NAME_CHARACTERS = 80
ABSTRACT_CHARACTERS = 160
MOST_CITATIONS = 20

# The verb of the button that ends an answer.
STOP = "stop"

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {"sources": "Sources", "page": "p. {page}", "id": "Answer {id}", "stop": "Stop"},
    "ko": {"sources": "출처", "page": "{page}쪽", "id": "답변 {id}", "stop": "중지"},
}


def render_text(text: str) -> Message:
    """A message without sources: a status line, an unfinished answer, an apology; as much as one message holds."""
    return {"text": split(to_markdown(text))[0]}


def render_stop(inbox_id: int, language: Language) -> Message:
    """A button that ends the answer under way."""
    stop = make_execute(STOP, _PHRASES[language]["stop"], {"inbox_id": inbox_id})
    return {"attachments": [make_attachment(make_card([], [stop]))]}


def render_answer(answer: FinishedAnswer, base_url: str) -> list[Message]:
    """One message or more, in order; each with label and citations, the first with thumbs, the last with buttons."""
    pieces = split(to_markdown(answer.text))
    if answer.notice:
        pieces[0] = f"*{to_markdown(answer.notice)}*\n\n{pieces[0]}"
    pieces[-1] += _render_sources(answer, base_url)
    messages: list[Message] = [{"text": piece, "entities": [_render_entity(answer, base_url)]} for piece in pieces]
    messages[0]["channelData"] = {"feedbackLoop": {"type": "default"}}
    messages[-1]["attachments"] = [make_attachment(render_feedback(answer))]
    return messages


def _render_entity(answer: FinishedAnswer, base_url: str) -> dict[str, Any]:
    """The label for what a model wrote, and the citations that `[n]` in the text opens."""
    entity: dict[str, Any] = {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
    }
    if answer.mode in ("generated", "stopped"):
        entity["additionalType"] = ["AIGeneratedContent"]
    if answer.sources:
        entity["citation"] = [_render_citation(source, base_url) for source in answer.sources[:MOST_CITATIONS]]
    return entity


def _render_citation(source: Source, base_url: str) -> dict[str, Any]:
    appearance: dict[str, Any] = {
        "@type": "DigitalDocument",
        "name": _place(source)[:NAME_CHARACTERS],
        "abstract": " ".join(source.excerpt.split())[:ABSTRACT_CHARACTERS] or _place(source)[:ABSTRACT_CHARACTERS],
    }
    if _is_ours(source.url, base_url):
        appearance["url"] = source.url
    if source.sensitivity:
        appearance["usageInfo"] = {"@type": "CreativeWork", "name": source.sensitivity}
    return {"@type": "Claim", "position": source.number, "appearance": appearance}


def _render_sources(answer: FinishedAnswer, base_url: str) -> str:
    """A list under the answer: citations are not shown by every client, nor for a text without marks."""
    phrases = _PHRASES[answer.language]
    lines = [_render_source(source, answer.language, base_url) for source in answer.sources]
    listing = "\n".join([f"\n\n**{phrases['sources']}**\n", *lines]) if lines else ""
    return f"{listing}\n\n*{phrases['id'].format(id=answer.interaction_id)}*"


def _render_source(source: Source, language: Language, base_url: str) -> str:
    label = to_markdown(_place(source)).replace("[", "(").replace("]", ")").replace("`", "")
    if source.page is not None:
        label += ", " + _PHRASES[language]["page"].format(page=source.page)
    line = f"[{label}]({source.url})" if _is_ours(source.url, base_url) else label
    sensitivity = f" · {to_markdown(source.sensitivity)}" if source.sensitivity else ""
    return f"{source.number}. {line}{sensitivity}"


def _place(source: Source) -> str:
    return " ".join(" › ".join(part for part in (source.title, source.heading_path) if part).split())


def _is_ours(url: str, base_url: str) -> bool:
    return url.startswith(f"{base_url}/") and not re.search(r"[\s()<>]", url)
