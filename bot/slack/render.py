"""Answers as Slack blocks. Pure, and the one place where text of models and documents becomes Slack's markup.

An answer's words are Markdown made safe (bot/slack/markdown.py); everything else is escaped and set verbatim. So the
only links and mentions are those written here.
"""

import re

from bot.markdown import split_markdown
from bot.reply import FinishedAnswer, Source
from bot.slack.blocks import Block, actions, button, context, escape, markdown, section
from bot.slack.markdown import make_safe
from bot.slack.render_feedback import render_feedback
from core.prompt import Language

# The name of the button that ends an answer.
STOP = "stop"

# Slack's limits, in characters after escaping: a section, and a markdown block, of which a message holds one of ours.
SECTION_CHARACTERS = 3_000
MESSAGE_CHARACTERS = 12_000
FALLBACK_CHARACTERS = 3_000
LABEL_CHARACTERS = 150
LONGEST_ENTITY = 5

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "sources": "Sources",
        "page": "p. {page}",
        "generated": "AI-generated from the sources; please check them.",
        "quoted": "Taken from the documents word for word.",
        "number": "Answer {id}",
        "stop": "Stop",
    },
    "ko": {
        "sources": "출처",
        "page": "{page}쪽",
        "generated": "AI가 출처를 바탕으로 작성했습니다. 출처를 확인해 주세요.",
        "quoted": "문서의 문장을 그대로 옮겼습니다.",
        "number": "답변 {id}",
        "stop": "중지",
    },
}

_BREAKS = ("\n\n", "\n", ". ", " ")


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most `limit` characters, cut at a paragraph, line, sentence or word where there is one."""
    pieces: list[str] = []
    while len(text) > limit:
        at = _find_cut(text, limit)
        pieces.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*pieces, text]


def _find_cut(text: str, limit: int) -> int:
    for mark in _BREAKS:
        # A break in the first half would make many small pieces.
        if (at := text.rfind(mark, limit // 2, limit)) != -1:
            return at + len(mark)
    entity = text.rfind("&", limit - LONGEST_ENTITY, limit)
    return entity if entity > 0 and ";" not in text[entity:limit] else limit


def render_status(text: str) -> list[Block]:
    """A small grey line."""
    return [context(escape(text))]


def render_partial(text: str, *, stop: Block | None = None, limit: int = MESSAGE_CHARACTERS) -> list[Block]:
    """An answer that is still being written: as much as one message holds.

    Args:
        stop: what ends it, see `render_stop`.
        limit: characters, where the message holds other words too.
    """
    shown = split_markdown(make_safe(text), limit)[0]
    return [*([markdown(shown)] if shown.strip() else []), *([stop] if stop else [])]


def render_stop(inbox_id: int, language: Language) -> Block:
    """A button that ends the answer, where Slack shows none of its own."""
    return actions(button(STOP, _PHRASES[language]["stop"], f"{inbox_id}"))


def render_body(answer: FinishedAnswer, base_url: str) -> list[str]:
    """The words of an answer in Markdown, a piece for each message; its citations lead to our own pages."""
    links = {source.number: source.url for source in answer.sources if _is_ours(source, base_url)}
    return split_markdown(make_safe(answer.text, links), MESSAGE_CHARACTERS)


def render_tail(answer: FinishedAnswer, base_url: str) -> list[Block]:
    """What stands under the last words: sources, where the words come from, and the means to judge them."""
    return [*_render_sources(answer, base_url), _render_context(answer), *render_feedback(answer)]


def render_answer(answer: FinishedAnswer, base_url: str) -> list[list[Block]]:
    """Blocks of one message or more, in order; the last one carries the sources and the thumbs."""
    messages = [[markdown(piece)] if piece else [] for piece in render_body(answer, base_url)]
    if answer.notice:
        messages[0] = [*render_status(answer.notice), *messages[0]]
    messages[-1] += render_tail(answer, base_url)
    return messages


def render_fallback(text: str) -> str:
    """What notifications and screen readers take."""
    return split(escape(text), FALLBACK_CHARACTERS)[0]


def _render_sources(answer: FinishedAnswer, base_url: str) -> list[Block]:
    if not answer.sources:
        return []
    lines = [_render_source(source, answer.language, base_url) for source in answer.sources]
    listing = "\n".join([f"*{_PHRASES[answer.language]['sources']}*", *lines])
    return [{"type": "divider"}, *(section(piece) for piece in split(listing, SECTION_CHARACTERS))]


def _render_source(source: Source, language: Language, base_url: str) -> str:
    """`[1] Title › Heading, p. 3`, a link where it leads to our own pages."""
    place = " › ".join(part for part in (source.title, source.heading_path) if part)
    label = escape(" ".join(place.split())[:LABEL_CHARACTERS])
    if source.page is not None:
        label += ", " + _PHRASES[language]["page"].format(page=source.page)
    sensitivity = f" · {escape(source.sensitivity)}" if source.sensitivity else ""
    if not _is_ours(source, base_url):
        return f"[{source.number}] {label}{sensitivity}"
    return f"[{source.number}] <{source.url.replace('&', '&amp;')}|{label}>{sensitivity}"


def _is_ours(source: Source, base_url: str) -> bool:
    return source.url.startswith(f"{base_url}/") and not re.search(r"[\s<>|()]", source.url)


def _render_context(answer: FinishedAnswer) -> Block:
    phrases = _PHRASES[answer.language]
    origin = phrases.get("generated" if answer.mode == "stopped" else answer.mode, "")
    line = f"{origin} {phrases['number'].format(id=answer.interaction_id)}".strip()
    return context(line)
