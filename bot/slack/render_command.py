"""What commands answer beside answers: help, a list of documents, how things stand. Pure."""

from collections.abc import Sequence

from bot.slack.blocks import Block, escape, section
from core.prompt import Language
from core.records import Passage

LABEL_CHARACTERS, EXCERPT_CHARACTERS = 150, 200

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "help": "*What I understand*\n"
        "• `/nightbake ask QUESTION`: an answer from what you may read; only you see it\n"
        "• `/nightbake search WORDS`: documents that hold it\n"
        "• `/nightbake status`: what answers you, and what you allow\n"
        "• `/nightbake settings`: what holds in this channel, for who made it and for admins\n"
        "• `/nightbake forget-me`: erases your questions, answers and votes\n"
        "Or write to me, or mention me in a channel.",
        "ask_what": "Please write a question after it: `/nightbake ask How many days of leave do I have?`",
        "found": "Found for “{question}”:",
        "found_none": "I found nothing about “{question}” in the documents you may read.",
    },
    "ko": {
        "help": "*사용 방법*\n"
        "• `/nightbake ask 질문`: 열람하실 수 있는 문서로 답하며 본인에게만 보입니다\n"
        "• `/nightbake search 검색어`: 해당 문서 목록\n"
        "• `/nightbake status`: 현재 상태와 학습 동의\n"
        "• `/nightbake settings`: 이 채널의 설정(채널을 만든 분과 관리자)\n"
        "• `/nightbake forget-me`: 질문과 답변, 평가를 지웁니다\n"
        "메시지를 보내시거나 채널에서 멘션하셔도 됩니다.",
        "ask_what": "뒤에 질문을 적어 주세요: `/nightbake ask 연차 휴가는 며칠인가요?`",
        "found": "‘{question}’ 검색 결과:",
        "found_none": "열람하실 수 있는 문서에서 ‘{question}’ 관련 내용을 찾지 못했습니다.",
    },
}


def say_command(phrase: str, language: Language, **values: object) -> str:
    """One phrase; what is put in must be escaped."""
    return _PHRASES[language][phrase].format(**values)


def render_found(
    question: str, passages: Sequence[Passage], base_url: str, language: Language
) -> tuple[str, list[Block]]:
    """Text for notifications, then a line with an excerpt for each passage."""
    if not passages:
        text = say_command("found_none", language, question=escape(question))
        return text, [section(text)]
    text = say_command("found", language, question=escape(question))
    return text, [section(text), *(section(_render_passage(one, base_url)) for one in passages)]


def _render_passage(passage: Passage, base_url: str) -> str:
    place = " › ".join(" ".join(part.split()) for part in (passage.title, passage.heading_path) if part)
    label = escape(place[:LABEL_CHARACTERS]).replace("|", "/")
    excerpt = escape(" ".join(passage.text.split())[:EXCERPT_CHARACTERS])
    return f"[{passage.number}] <{base_url}/passages/{passage.chunk_id}|{label}>\n>{excerpt}"
