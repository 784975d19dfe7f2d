"""Keys, tokens and passwords in running text: the patterns of detect-secrets, and what people write beside them."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

DETECTORS: tuple[type[RegexBasedDetector], ...] = (
    AWSKeyDetector,
    AzureStorageKeyDetector,
    BasicAuthDetector,
    DiscordBotTokenDetector,
    GitHubTokenDetector,
    GitLabTokenDetector,
    JwtTokenDetector,
    MailchimpDetector,
    OpenAIDetector,
    PypiTokenDetector,
    SendGridDetector,
    SlackDetector,
    SquareOAuthDetector,
    StripeDetector,
    TelegramBotTokenDetector,
    TwilioKeyDetector,
)

PEM_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)", re.S
)
# Forms that are younger than the last release of detect-secrets, each by its maker's own prefix.
_YOUNGER = re.compile(
    r"(?<![A-Za-z0-9])(?:AIza[\w-]{35}|sk-(?:ant|proj|svcacct)-[\w-]{20,}|github_pat_\w{22,}|hf_[A-Za-z0-9]{30,}"
    r"|xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]+|xox[abposre]\.?[\w.-]*-[\w-]{10,}|dop_v1_[a-f0-9]{64})"
)
# The pattern of detect-secrets takes seconds on a line of slashes.
_NPM = re.compile(r"//[^\s/]\S{0,200}?/?:_authToken=\s*(?:npm_\S{1,200}|[A-Fa-f0-9-]{36})")
# Two dots and three parts: the pattern of detect-secrets stops at the second.
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")
_AUTHORISATION = re.compile(r"\b(?:bearer|basic)\s+([A-Za-z0-9+/_.~-]{16,}=*)", re.I)
_NAMED = re.compile(
    r"(?:\b(?:pass(?:word|wd|phrase|code)?|pwd|secret(?:[ _-]?key)?|(?:api|access)[ _-]?key|(?:auth[ _-]?)?token|PIN)"
    r"|비밀\s?번호|비번|암호|패스워드|액세스\s?키|API\s?키|시크릿|토큰)"
    r"(?:\s*(?:is|was|=|:=|:|：|는|은|가|이)\s*|\s+)[\"'`“‘]?([!-~]{6,})",
    re.I,
)
# Read first: no form of a key is shorter, and nothing is named without one of these words.
_RUN = re.compile(r"[!-~]{14}")
_NAMES = ("pass", "pwd", "secret", "key", "token", "pin", "비밀", "비번", "암호", "패스", "키", "시크릿", "토큰")
_LONG = re.compile(r"(?<![\w/+=-])[A-Za-z0-9/+_-]{32,}={0,2}(?![\w/+=-])")
_KEY_WORDS = re.compile(r"\b(?:key|token|secret|credential)s?\b|키|토큰|시크릿|인증", re.I)


def find_secrets(line: str) -> Iterator[tuple[int, int]]:
    """Start and end of what one line holds of keys, tokens and passwords; overlapping finds are one."""
    end = 0
    merged: list[tuple[int, int]] = []
    for begin, stop in sorted(_find_all(line)):
        if merged and begin < end:
            merged[-1] = merged[-1][0], max(end, stop)
        else:
            merged.append((begin, stop))
        end = merged[-1][1]
    yield from merged


def _find_all(line: str) -> Iterator[tuple[int, int]]:
    if _RUN.search(line):
        yield from _find_formed(line)
    folded = line.casefold()
    if any(word in folded for word in _NAMES):
        yield from _find_named(line)


def _find_formed(line: str) -> Iterator[tuple[int, int]]:
    """What has the form of a key by itself, and long random words in a line that speaks of keys."""
    for pattern, group in _load_patterns():
        yield from (match.span(group) for match in pattern.finditer(line))
    for pattern in (_YOUNGER, _JWT, _NPM):
        yield from (match.span() for match in pattern.finditer(line))
    for match in _AUTHORISATION.finditer(line):
        yield match.span(1)
    if _KEY_WORDS.search(line):
        yield from (match.span() for match in _LONG.finditer(line) if _is_random(match.group()))


@cache
def _load_patterns() -> tuple[tuple[re.Pattern[str], int], ...]:
    """Every pattern of detect-secrets that is used, with the group that holds the secret."""
    within = (AWSKeyDetector, BasicAuthDetector)
    return tuple(
        (pattern, 1 if detector in within and pattern.groups else 0)
        for detector in DETECTORS
        for pattern in cast(list[re.Pattern[str]], cast(Any, detector()).denylist)
    )


def _find_named(line: str) -> Iterator[tuple[int, int]]:
    """What follows the word password, key or token, where it looks like one: letters with digits or signs."""
    for match in _NAMED.finditer(line):
        value = match.group(1).rstrip(".,;:)\"'`")
        kinds = (any(sign.isalpha() for sign in value), any(sign.isdigit() for sign in value))
        if len(value) >= 6 and all(kinds) and "(" not in value:
            yield match.start(1), match.start(1) + len(value)


def _is_random(word: str) -> bool:
    """Letters and digits mixed, and no sign more than a fifth of it."""
    mixed = any(sign.isdigit() for sign in word) and any(sign.isalpha() for sign in word)
    return mixed and max(word.count(sign) for sign in set(word)) <= len(word) / 5
