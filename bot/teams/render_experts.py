"""What experts see of a question, what they are asked, and what the person is told. Pure."""

import html
from collections.abc import Mapping
from typing import Any

from bot.teams.cards import make_attachment, make_card, make_execute
from bot.teams.connector import Message
from bot.teams.markdown import split, to_markdown
from core.prompt import Language

USE_REPLY = "use_reply"
# Characters of a question or an answer, so that both fit one message; the link leads to the whole.
SHOWN_CHARACTERS = 3_500

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "asks": "**{person}** asks a human:",
        "answered": "I had answered:",
        "withheld": "My answer is from documents that not everybody may read, so it is not shown here.",
        "open": "Open the answer",
        "how": "Reply in this thread; mention me where I do not see it. Your reply is passed on only if you agree.",
        "posted": "I passed your question on to colleagues. You will hear here what they say.",
        "offer": "{expert} May I use your reply as the corrected answer? **{person}** will see it with your name, "
        "and the next answers learn from it.",
        "use": "Use as the corrected answer",
        "tell": "{person} **{expert}** answered your question:",
        "thanks": "Thank you. If this reply is yours, it is passed on.",
    },
    "ko": {
        "asks": "**{person}** 님이 담당자에게 묻습니다:",
        "answered": "제가 드린 답변:",
        "withheld": "일부만 열람할 수 있는 문서에서 나온 답변이므로 여기에는 표시하지 않습니다.",
        "open": "답변 열기",
        "how": "이 스레드에 답해 주세요. 제가 보지 못하면 멘션해 주세요. 동의하신 경우에만 전달됩니다.",
        "posted": "담당자에게 질문을 전달했습니다. 답변이 오면 이곳에서 알려 드리겠습니다.",
        "offer": "{expert} 이 답을 올바른 답변으로 사용해도 될까요? **{person}** 님에게 이름과 함께 전달되고 "
        "학습에 쓰입니다.",
        "use": "올바른 답변으로 사용",
        "tell": "{person} **{expert}** 님이 질문에 답했습니다:",
        "thanks": "감사합니다. 본인의 답변이면 전달됩니다.",
    },
}


def say_expert(phrase: str, language: Language) -> str:
    """One phrase that names nobody."""
    return _PHRASES[language][phrase]


def render_request(*, language: Language, asker: str, question: str, answer: str | None, link: str | None) -> Message:
    """The question for experts.

    Args:
        asker: their name; they need not be in the channel, so it is no mention.
        answer: None where not everybody may read what it is from.
        link: to the answer; None where nobody else can open it.
    """
    phrases = _PHRASES[language]
    parts = [phrases["asks"].format(person=_escape(asker)), _show(question)]
    parts += [phrases["answered"], _show(answer)] if answer else [f"*{phrases['withheld']}*"]
    parts += [f"[{phrases['open']}]({link})"] if link else []
    return {"text": "\n\n".join([*parts, f"*{phrases['how']}*"])}


def render_posted(language: Language) -> Message:
    """What the person is told at once."""
    return {"text": _PHRASES[language]["posted"]}


def render_offer(reply_id: int, language: Language, asker: str, expert: Mapping[str, Any]) -> Message:
    """What the expert is asked.

    Args:
        expert: id and name of their account.
    """
    phrases = _PHRASES[language]
    button = make_execute(USE_REPLY, phrases["use"], {"reply_id": reply_id})
    message = render_mention(phrases["offer"], "expert", expert, person=_escape(asker))
    return {**message, "attachments": [make_attachment(make_card([], [button]))]}


def render_told(language: Language, *, asker: Mapping[str, Any] | None, expert: str, reply: str) -> list[Message]:
    """What the person is told, in one message or more.

    Args:
        asker: id and name of their account; None in a chat with them alone.
    """
    first, *others = split(to_markdown(reply))
    message = render_mention(_PHRASES[language]["tell"], "person", asker or {}, expert=_escape(expert))
    message["text"] = f"{message['text']}\n\n{first}"
    return [message, *({"text": piece} for piece in others)]


def render_mention(phrase: str, role: str, account: Mapping[str, Any], **people: str) -> Message:
    """A phrase with a mention, or with nothing in its place where there is no account."""
    if not account.get("id"):
        return {"text": phrase.format(**{role: ""}, **people).strip()}
    marked = f"<at>{html.escape(str(account.get('name') or '?'))}</at>"
    entity = {"type": "mention", "mentioned": dict(account), "text": marked}
    return {"text": phrase.format(**{role: marked}, **people), "entities": [entity]}


def _escape(name: str) -> str:
    """A name between stars: a star or space at its end would undo them."""
    return to_markdown(name).replace("*", "").strip()


def _show(text: str) -> str:
    return split(to_markdown(text), SHOWN_CHARACTERS)[0]
