"""What both platforms' screens share on paper: Markdown, escaping, the name of the app, thumbs, and the page around."""

import base64
from functools import cache
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from bot.teams.icons import draw_colour

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_STYLE = Path(__file__).with_name("screens.css")
# Drawn, because a machine that takes pictures need not have a font with emoji.
_THUMB = "M1 7h3v8H1zM5 7l3-6c2 0 2 1 2 2l-.5 3H14c1 0 1.5 1 1.2 2l-1.6 5.5c-.3 1-1 1.5-2 1.5H5z"
_LIGHT = "M2 13h12v2H2zM4 12V8a4 4 0 0 1 8 0v4z"
_CHECK = "M1 1h14v14H1zM4 8l3 3 5-6"
_EMOJI = {
    "👍": f'<svg class="emoji" viewBox="0 0 16 16"><path d="{_THUMB}"/></svg>',
    "👎": f'<svg class="emoji down" viewBox="0 0 16 16"><path d="{_THUMB}"/></svg>',
    ":rotating_light:": f'<svg class="emoji light" viewBox="0 0 16 16"><path d="{_LIGHT}"/></svg>',
    ":white_check_mark:": f'<svg class="emoji check" viewBox="0 0 16 16"><path d="{_CHECK}"/></svg>',
}


class UnknownKindError(LookupError):
    """expected an element that this renderer draws; add a function for it beside the others."""

    def __init__(self, kind: object) -> None:
        super().__init__(f"expected an element that this renderer draws, got {kind!r}; add a function for it")


def render_markdown(text: str) -> str:
    """HTML of a Markdown text; HTML in it stays text."""
    return draw_emoji(_MARKDOWN.render(text))


def render_markdown_line(text: str) -> str:
    """The same without a paragraph around."""
    return draw_emoji(_MARKDOWN.renderInline(text))


def draw_emoji(html: str) -> str:
    """The few that we use, as drawings."""
    for sign, drawing in _EMOJI.items():
        html = html.replace(sign, drawing)
    return html


def draw_thumbs(up: str, down: str) -> str:
    """The platform's own pair of thumbs, with what a screen reader says."""
    return f'<div class="thumbs">{_draw_thumb("👍", up)}{_draw_thumb("👎", down)}</div>'


def _draw_thumb(sign: str, label: str) -> str:
    return f'<span class="thumb" role="img" aria-label="{escape(label)}">{_EMOJI[sign]}</span>'


def render_post(content: str, badge: str) -> str:
    """A message of the app: its icon and name, then the content."""
    head = f'<b class="name">Nightbake</b><span class="badge">{badge}</span><span class="time">9:41</span>'
    return f'<div class="post"><img class="icon" alt="" src="{_load_icon()}"><div>{head}{content}</div></div>'


def render_page(platform: str, screens: list[str]) -> str:
    """A page of screens, one under the other, each an element of class `screen`."""
    body = "\n".join(f'<section class="screen">{screen}</section>' for screen in screens)
    head = f'<meta charset="utf-8"><title>{platform}</title><style>{_STYLE.read_text()}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body class="{platform}">{body}</body></html>'


@cache
def _load_icon() -> str:
    return f"data:image/png;base64,{base64.b64encode(draw_colour()).decode()}"
