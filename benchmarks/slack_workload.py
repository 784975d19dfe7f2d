"""Slack's events of a benchmark, and the signature that each delivery bears."""

import hashlib
import hmac
import json
import random
import time
from typing import Any, Literal

from benchmarks.ack_load import Kind, Made

TEAM = "T0HOME"
SECRET = "signing-secret-of-the-benchmark"

Form = Literal["question", "reaction", "chatter"]
# Of a hundred events. Chatter are posts in other people's threads.
MIX: dict[Form, int] = {"question": 10, "reaction": 45, "chatter": 45}
KINDS: dict[Form, Kind] = {"question": "question", "reaction": "stored", "chatter": "ignored"}


class SlackEvents:
    """Makes events that were never made before.

    Args:
        run: marks this run's events.
    """

    def __init__(self, *, seed: int, run: str) -> None:
        self._random = random.Random(seed)
        self._run = run
        self._count = 0

    def make(self) -> Made:
        """The next one, of a kind by chance."""
        self._count += 1
        form = self._random.choices(list(MIX), weights=list(MIX.values()))[0]
        number = f"{self._run}{self._count:07}"
        ts = f"17{self._count:08}.{self._random.randrange(10**6):06}"
        event: dict[str, Any] = {"user": f"U{number}", "ts": ts, "event_ts": ts}
        if form == "question":
            event |= {"type": "message", "channel": f"D{number}", "channel_type": "im", "text": "How much leave?"}
            key = f"D{number}:{ts}"
        elif form == "reaction":
            item = {"type": "message", "channel": f"C{number}", "ts": ts}
            event |= {"type": "reaction_added", "reaction": "+1", "item": item}
            key = f"event:Ev{number}"
        else:
            place = {"channel": f"C{number}", "channel_type": "channel", "thread_ts": f"16{ts[2:]}"}
            event |= {"type": "message", "text": "see you at lunch", **place}
            key = ts
        return Made(KINDS[form], key, json.dumps(_wrap(event, f"Ev{number}")).encode())


def make_question(person: int, event_id: str) -> tuple[str, bytes]:
    """A direct message of a person, not an answer to anything: the key of its thread, and the body."""
    ts = f"17{random.randrange(10**8):08}.{random.randrange(10**6):06}"
    event = {"user": f"U{person:06}", "ts": ts, "event_ts": ts, "type": "message", "channel_type": "im"}
    event |= {"channel": f"D{person:06}", "text": "How much leave?"}
    return f"D{person:06}:{ts}", json.dumps(_wrap(event, event_id)).encode()


def _wrap(event: dict[str, Any], event_id: str) -> dict[str, Any]:
    own = {"enterprise_id": None, "team_id": TEAM, "user_id": "U0BOT", "is_bot": True, "is_enterprise_install": False}
    return {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": "A0NIGHTBAKE",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [own],
        "is_ext_shared_channel": False,
        "event": event,
    }


def sign(body: bytes, is_copy: bool) -> dict[str, str]:
    """Slack's headers of a delivery."""
    timestamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
    }
    return headers | ({"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"} if is_copy else {})
