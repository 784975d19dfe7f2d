"""The app package that an admin uploads: a manifest, its words in Korean, and two icons, in one zip. Pure.

Source: App manifest schema 1.29, and its localization schema.
"""

import io
import json
import re
import zipfile
from typing import Any
from urllib.parse import urlsplit

from bot.teams.commands import COMMAND_WORDS
from bot.teams.extension import ASK
from bot.teams.icons import ACCENT, draw_colour, draw_outline
from core.errors import SettingsError
from core.prompt import Language

SCHEMA_VERSION = "1.29"
VERSION = "1.0.0"

# What the code takes of Teams beyond what a bot is sent anyway: messages of channels without a mention.
RESOURCE_PERMISSIONS = ("ChannelMessage.Read.Group",)
SCOPES = ("personal", "team", "groupChat")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# The same entries make the same zip.
_DATE = (2026, 1, 1, 0, 0, 0)

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "short": "Answers from your company's own documents.",
        "full": "Nightbake answers questions from your company's own documents and shows where it stands. It gets "
        "better every night from what people say of its answers. It runs inside your network.",
        "help": "What I can do",
        "again": "Another answer to your last question",
        "stop": "End the answer under way",
        "status": "What answers, and what you allow",
        "me": "Your questions and votes; learning; forget me",
        "ask": "Ask Nightbake",
        "ask_full": "The answer comes in your chat with Nightbake.",
    },
    "ko": {
        "short": "사내 문서를 근거로 답합니다.",
        "full": "Nightbake는 사내 문서를 근거로 질문에 답하고 출처를 보여 줍니다. 답변에 대한 평가를 바탕으로 매일 밤 "
        "더 나아집니다. 사내 네트워크 안에서 동작합니다.",
        "help": "제가 할 수 있는 일",
        "again": "마지막 질문에 대한 다른 답변",
        "stop": "진행 중인 답변 끝내기",
        "status": "현재 상태와 학습 동의",
        "me": "내 질문과 평가, 학습 동의, 기록 지우기",
        "ask": "Nightbake에게 묻기",
        "ask_full": "답변은 Nightbake와의 채팅으로 보내 드립니다.",
    },
}


def check_identity(app_id: str | None, base_url: str) -> list[str]:
    """What of the settings no manifest can be made from, in words."""
    faults: list[str] = []
    if not _GUID.fullmatch(app_id or ""):
        faults.append(f"TEAMS_APP_ID: expected the id of the bot registration, a GUID, got {app_id!r}")
    if not base_url.startswith("https://"):
        faults.append(f"PUBLIC_URL: expected https://, which Teams asks of an app's pages, got {base_url!r}")
    return faults


def build_package(app_id: str | None, base_url: str, *, version: str = VERSION) -> bytes:
    """The zip.

    Args:
        version: of the package; Teams takes a changed one only under a higher number.

    Raises:
        SettingsError: the settings name no registration or no address that Teams would take.
    """
    if faults := check_identity(app_id, base_url):
        raise SettingsError(faults)
    assert app_id
    files = {
        "manifest.json": _to_json(build_manifest(app_id.lower(), base_url, version=version)),
        "ko.json": _to_json(build_words("ko")),
        "color.png": draw_colour(),
        "outline.png": draw_outline(),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, held in files.items():
            package.writestr(zipfile.ZipInfo(name, _DATE), held, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def build_manifest(app_id: str, base_url: str, *, version: str = VERSION) -> dict[str, Any]:
    """What the app is and may do."""
    phrases = _PHRASES["en"]
    permissions = [{"name": name, "type": "Application"} for name in RESOURCE_PERMISSIONS]
    ask = {"id": ASK, "type": "action", "title": phrases["ask"], "description": phrases["ask_full"]}
    return {
        "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA_VERSION}/MicrosoftTeams.schema.json",
        "manifestVersion": SCHEMA_VERSION,
        "version": version,
        "id": app_id,
        "localizationInfo": {
            "defaultLanguageTag": "en",
            "additionalLanguages": [{"languageTag": "ko", "file": "ko.json"}],
        },
        "developer": {
            "name": "Nightbake",
            "websiteUrl": base_url,
            "privacyUrl": base_url,
            "termsOfUseUrl": base_url,
        },
        "name": {"short": "Nightbake", "full": "Nightbake"},
        "description": {"short": phrases["short"], "full": phrases["full"]},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": ACCENT,
        "bots": [
            {
                "botId": app_id,
                "scopes": list(SCOPES),
                "isNotificationOnly": False,
                "supportsFiles": False,
                "commandLists": [{"scopes": list(SCOPES), "commands": _build_commands("en")}],
            }
        ],
        "composeExtensions": [
            {"botId": app_id, "commands": [{**ask, "context": ["message"], "fetchTask": True}]},
        ],
        "validDomains": [urlsplit(base_url).netloc],
        # What the permissions are granted to; the resource is not looked at, but must be named.
        "webApplicationInfo": {"id": app_id, "resource": "https://RscBasedStoreApp"},
        "authorization": {"permissions": {"resourceSpecific": permissions}},
        # Teams refuses an app for teams without it since schema 1.25.
        "supportsChannelFeatures": "tier1",
    }


def build_words(language: Language) -> dict[str, str]:
    """The manifest's words in another language, by their place."""
    phrases = _PHRASES[language]
    schema = f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA_VERSION}"
    words = {
        "$schema": f"{schema}/MicrosoftTeams.Localization.schema.json",
        "name.short": "Nightbake",
        "name.full": "Nightbake",
        "description.short": phrases["short"],
        "description.full": phrases["full"],
        "composeExtensions[0].commands[0].title": phrases["ask"],
        "composeExtensions[0].commands[0].description": phrases["ask_full"],
    }
    for number, command in enumerate(_build_commands(language)):
        for name, word in command.items():
            words[f"bots[0].commandLists[0].commands[{number}].{name}"] = word
    return words


def _build_commands(language: Language) -> list[dict[str, str]]:
    return [
        {"title": words[language], "description": _PHRASES[language][name]} for name, words in COMMAND_WORDS.items()
    ]


def _to_json(held: object) -> bytes:
    return (json.dumps(held, indent=2, ensure_ascii=False) + "\n").encode()
