"""The form of a channel's settings, and reading it. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.room_settings import RoomSettings
from bot.slack.blocks import Block, plain
from core.prompt import Language

SETTINGS = "room_settings"
# Slack's limits: options of a menu, the text of one, and its value.
MOST_OPTIONS, OPTION_CHARACTERS, VALUE_CHARACTERS = 100, 75, 150

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Nightbake here",
        "save": "Save",
        "close": "Cancel",
        "listens": "When do I answer?",
        "listens_mentions": "When I am mentioned, and in threads I answered in",
        "listens_questions": "Also questions that are addressed to nobody",
        "sources": "Where do I search?",
        "sources_hint": "Nothing chosen: everywhere. Nobody ever sees what not everyone here may read.",
        "sources_none": "All documents",
        "language": "Language of my own words",
        "language_question": "That of the question",
        "language_en": "English",
        "language_ko": "한국어",
        "training": "May nights learn from what is said here?",
        "training_yes": "Yes",
        "training_no": "No",
        "refused": "Only who made this channel, and admins of the workspace, may change what holds here.",
        "not_here": "Settings are for channels; here I answer everything you write.",
        "unknown": "I cannot see this channel. Invite me with `/invite @Nightbake`, then try again.",
    },
    "ko": {
        "title": "Nightbake 설정",
        "save": "저장",
        "close": "취소",
        "listens": "언제 답할까요?",
        "listens_mentions": "멘션을 받았을 때와 제가 답한 스레드에서",
        "listens_questions": "멘션이 없는 질문에도",
        "sources": "어디에서 찾을까요?",
        "sources_hint": "선택하지 않으면 모든 문서에서 찾습니다. 모두가 열람할 수 없는 내용은 언제나 보이지 않습니다.",
        "sources_none": "모든 문서",
        "language": "안내 문구의 언어",
        "language_question": "질문의 언어",
        "language_en": "English",
        "language_ko": "한국어",
        "training": "이곳의 내용을 학습에 써도 될까요?",
        "training_yes": "예",
        "training_no": "아니요",
        "refused": "이 채널을 만든 분과 워크스페이스 관리자만 설정을 바꿀 수 있습니다.",
        "not_here": "설정은 채널에만 있습니다. 여기서는 쓰시는 모든 글에 답합니다.",
        "unknown": "이 채널을 볼 수 없습니다. `/invite @Nightbake`로 초대한 뒤 다시 시도해 주세요.",
    },
}

_LISTENS, _LANGUAGES, _TRAINING = ("mentions", "questions"), ("question", "en", "ko"), ("yes", "no")


def say_settings(phrase: str, language: Language) -> str:
    """One phrase."""
    return _PHRASES[language][phrase]


def render_settings(
    team: str, channel: str, settings: RoomSettings, sources: Sequence[str], language: Language
) -> Block:
    """The modal; it knows the channel it is for."""
    phrases = _PHRASES[language]
    training = "yes" if settings.allows_training else "no"
    blocks = [
        _radio(phrases, "listens", _LISTENS, settings.listens),
        *_render_sources(phrases, settings, sources),
        _radio(phrases, "language", _LANGUAGES, settings.language or "question"),
        _radio(phrases, "training", _TRAINING, training),
    ]
    return {
        "type": "modal",
        "callback_id": SETTINGS,
        "private_metadata": json.dumps({"team": team, "channel": channel}),
        "title": plain(phrases["title"]),
        "submit": plain(phrases["save"]),
        "close": plain(phrases["close"]),
        "blocks": blocks,
    }


def read_settings(view: Mapping[str, Any]) -> RoomSettings:
    """What a sent form says."""
    values: Mapping[str, Any] = view["state"]["values"]
    chosen: Sequence[Mapping[str, str]] = _find_field(values, "sources").get("selected_options") or []
    language = _read(values, "language", _LANGUAGES)
    return RoomSettings(
        listens="questions" if _read(values, "listens", _LISTENS) == "questions" else "mentions",
        sources=[option["value"] for option in chosen] or None,
        language="ko" if language == "ko" else "en" if language == "en" else None,
        allows_training=_read(values, "training", _TRAINING) == "yes",
    )


def _render_sources(phrases: Mapping[str, str], settings: RoomSettings, sources: Sequence[str]) -> list[Block]:
    """What is set stays choosable, also where it holds nothing any more: to send the form must not widen the search."""
    named = dict.fromkeys([*(settings.sources or ()), *sources])
    offered = [name for name in named if 0 < len(name) <= VALUE_CHARACTERS][:MOST_OPTIONS]
    if not offered:
        return []
    options = {name: {"text": plain(name[:OPTION_CHARACTERS]), "value": name} for name in offered}
    element: Block = {
        "type": "multi_static_select",
        "action_id": "sources",
        "placeholder": plain(phrases["sources_none"]),
        "options": list(options.values()),
    }
    if initial := [options[name] for name in settings.sources or () if name in options]:
        element["initial_options"] = initial
    return [_input(phrases, "sources", element) | {"optional": True, "hint": plain(phrases["sources_hint"])}]


def _radio(phrases: Mapping[str, str], name: str, values: Sequence[str], chosen: str) -> Block:
    options = {value: {"text": plain(phrases[f"{name}_{value}"]), "value": value} for value in values}
    element = {
        "type": "radio_buttons",
        "action_id": name,
        "options": list(options.values()),
        "initial_option": options[chosen],
    }
    return _input(phrases, name, element)


def _input(phrases: Mapping[str, str], name: str, element: Block) -> Block:
    return {"type": "input", "block_id": name, "label": plain(phrases[name]), "element": element}


def _read(values: Mapping[str, Any], name: str, known: Sequence[str]) -> str | None:
    """The chosen value, where it is one of ours."""
    option: Mapping[str, str] = _find_field(values, name).get("selected_option") or {}
    value = option.get("value")
    return value if value in known else None


def _find_field(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    block: Mapping[str, Any] = values.get(name) or {}
    return block.get(name) or {}
