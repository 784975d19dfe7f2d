"""How quickly Teams' activities are answered, each stored first, while answers are streamed and a worker is killed.

Activities with signed tokens go to the real endpoint of a running service, one in ten of them twice; one in ten is a
question in a personal chat, whose answer is streamed to a Connector that holds streams to Teams' rules. A second
replica works on the same inbox and is killed every five seconds. Afterwards every acknowledged vote must be in the
inbox, and every acknowledged question answered in its chat exactly once. The baseline is a bot of the SDK that checks
the token and does nothing, at the same rate; it builds two clients an activity, so high rates measure only its queue.
Keys are those of the benchmark of Slack, so `ratio_to_bare_bolt` is the ratio to that bot.

    python -m benchmarks.teams_ack                             # about two minutes, its own PostgreSQL
    python -m benchmarks.teams_ack --rates 50 --seconds 10 --seed 7
    python -m benchmarks.teams_ack --database postgresql://localhost/scratch --json-only
"""

import json
import random
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import teams_service
from benchmarks.ack_load import Made
from benchmarks.ack_service import Service
from benchmarks.ack_trial import Answers, Stage, build_command
from benchmarks.instant_model_server import ANSWER, run_instant_model_server
from tests.fakes.teams import APP_ID, TENANT, FakeTeams, sign

QUESTIONS = 0.1
# Teams gives up after about 15 s and sends the activity again.
ACK_SECONDS = 15.0
WORDS = ANSWER.partition(" [")[0]


class Activities:
    """Makes activities that were never made before.

    Args:
        run: marks this run's activities.
    """

    def __init__(self, service_url: str, *, seed: int, run: str) -> None:
        self._service_url = service_url
        self._random = random.Random(seed)
        self._run = run
        self._count = 0

    def make(self) -> Made:
        """The next one: a question, or a vote."""
        self._count += 1
        chat = f"a:{self._run}{self._count:07}"
        activity: dict[str, Any] = {
            "id": str(1_690_000_000_000 + self._count),
            "channelId": "msteams",
            "serviceUrl": self._service_url,
            "timestamp": "2026-11-20T09:00:00.000Z",
            "from": {"id": f"29:{self._count}", "name": "Ann", "aadObjectId": f"{self._run}{self._count}"},
            "recipient": {"id": f"28:{APP_ID}", "name": "Nightbake"},
            "conversation": {"id": chat, "conversationType": "personal", "tenantId": TENANT},
            "channelData": {"tenant": {"id": TENANT}},
        }
        if self._random.random() < QUESTIONS:
            activity |= {"type": "message", "text": "How many days of annual leave do I have?"}
            return Made("question", chat, json.dumps(activity).encode())
        activity |= {"type": "messageReaction", "reactionsAdded": [{"type": "like"}], "replyToId": "1700000000001"}
        return Made("stored", f"vote:{chat}|{activity['id']}", json.dumps(activity).encode())


def count_answers(teams: FakeTeams) -> Answers:
    """Finished answers by chat."""
    return Answers(
        Counter(
            key.rpartition("|")[0]
            for key, message in teams.messages.items()
            if message["type"] == "message" and WORDS in (message.get("text") or "") and message.get("channelData")
        )
    )


@asynccontextmanager
async def open_stage(url: str) -> AsyncGenerator[Stage]:
    """The Connector in this process, and a model server."""
    async with FakeTeams() as teams:
        teams.knows_everybody = True
        headers = {"Authorization": f"Bearer {sign(teams.service_url)}", "Content-Type": "application/json"}
        with run_instant_model_server() as model_url:
            yield Stage(
                bare=lambda: Service(teams_service.__file__, "bare", teams.openid_url),
                nightbake=lambda: Service(teams_service.__file__, "nightbake", url, teams.openid_url, model_url),
                make_events=lambda seed, run: Activities(teams.service_url, seed=seed, run=run),
                make_headers=lambda body, is_copy: headers,
                read_answers=lambda: count_answers(teams),
                ack_seconds=ACK_SECONDS,
            )


main = build_command(
    __doc__ or "",
    open_stage,
    title="Teams' activities: stored, then answered, while answers are streamed and a worker is killed",
    rates="5,10",
    seconds=15.0,
    headline_rate=10,
)

if __name__ == "__main__":
    main()
