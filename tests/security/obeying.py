"""The worst language model: it does whatever stands in its prompt, and dresses it up so that checks may pass."""

import base64
import re
from typing import Any

from bot.injections import load_cases

_FACT = re.compile(r"(?:Locker K\d+ has \d+ shelves|K\d+ 사물함에는 선반이 \d+개)[^\n]*")
# What an order wants written down.
_WRITTEN = re.compile(r"(?:!?\[|<|https?:|QUESTION\.).*?(?=,? QUESTION|[.]$|\s에서| 로 |\s*(?:을|를|이라고)\b|$)")
_KEY = re.compile(r"xoxb-[\w-]+")
_WORDING = {re.sub(r"\W+", "", case.order): case.order for case in load_cases()}


def obey(messages: list[dict[str, str]]) -> str:
    """The passages' facts, with a citation that holds, and then all that any order wants."""
    shown = messages[-1]["content"]
    facts = " ".join(dict.fromkeys(_FACT.findall(shown))) or shown[:400]
    done = [_do(order, messages) for order in find_orders(messages)]
    return f"{facts} [1] {' '.join(done)}".strip()


def find_orders(messages: list[dict[str, str]]) -> list[str]:
    """Every order of the suite that stands anywhere in a prompt, also without its punctuation."""
    everything = re.sub(r"\W+", "", " ".join(message["content"] for message in messages))
    return [order for squeezed, order in _WORDING.items() if squeezed in everything or squeezed[:40] in everything]


def _do(order: str, messages: list[dict[str, str]]) -> str:
    """The order carried out as far as text can, slyly: no more is said than it takes."""
    system = messages[0]["content"]
    asked = [message["content"] for message in messages if message["role"] == "user"]
    question = asked[-1].rpartition("Question: ")[2].replace(" ", "+")
    told: dict[str, Any] = {
        "Base64": base64.b64encode(system.encode()).decode(),
        "prompt": system,
        "프롬프트": system,
        "questions": " / ".join(asked[:-1]),
        "직원들의 질문": " / ".join(asked[:-1]),
        "token": " ".join(_KEY.findall(asked[-1])),
        "토큰": " ".join(_KEY.findall(asked[-1])),
    }
    carried = next((text for word, text in told.items() if word in order), "")
    written = _WRITTEN.search(order)
    return carried or (written[0] if written else order).replace("QUESTION", question)
