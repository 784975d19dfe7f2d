"""Parts of Block Kit that every screen is made of. Pure.

`mrkdwn` may hold our own links and mentions; people's and documents' words go through `escape` first.
"""

import re
from typing import Any

Block = dict[str, Any]

_BROADCAST = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def escape(text: str) -> str:
    """Text that Slack shows as it is: no link, no mention, no word to a whole channel."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BROADCAST.sub("@" + _WORD_JOINER, escaped)


def mrkdwn(text: str) -> Block:
    """Slack's markup; an address in it becomes no link by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain(text: str) -> Block:
    """Text without markup."""
    return {"type": "plain_text", "text": text, "emoji": False}


def rich_text(*parts: Block) -> Block:
    """A paragraph whose parts hold no markup: what people write in them is shown as it is."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(parts)}]}


def section(text: str) -> Block:
    """A paragraph of Slack's markup."""
    return {"type": "section", "text": mrkdwn(text)}


def context(text: str) -> Block:
    """A small grey line of Slack's markup."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def markdown(text: str) -> Block:
    """Markdown that was made safe."""
    return {"type": "markdown", "text": text}


def button(action_id: str, label: str, value: str) -> Block:
    """A button with a plain label."""
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}


def actions(*elements: Block) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}
