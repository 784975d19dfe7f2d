"""How quickly Slack's events are acknowledged, each stored first, while answers are generated and a worker is killed.

Signed events go to the real endpoint of a running service at 20, 100 and 300 a second, one in ten of them twice; one in
ten is a question, which a model server answers in half a second, streamed to a Web API that takes it at once. A second
replica works on the same inbox and is killed every ten seconds. Afterwards every acknowledged reaction must be in the
inbox, and every acknowledged question answered in its thread exactly once. The baseline is a Bolt app that checks the
signature and does nothing, at the same rate.

    python -m benchmarks.slack_ack                             # about six minutes, its own PostgreSQL
    python -m benchmarks.slack_ack --rates 100 --seconds 15 --seed 7
    python -m benchmarks.slack_ack --database postgresql://localhost/scratch --json-only
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import slack_service
from benchmarks.ack_service import Service
from benchmarks.ack_trial import Answers, Stage, build_command
from benchmarks.instant_model_server import run_instant_model_server
from benchmarks.slack_stand_in import run_stand_in
from benchmarks.slack_workload import SlackEvents, sign

# Slack gives up after 3 s and sends the event again.
ACK_SECONDS = 3.0
# Long enough for a killed worker to leave answers behind that were half said.
ANSWER_SECONDS = 0.5


@asynccontextmanager
async def open_stage(url: str) -> AsyncGenerator[Stage]:
    """Slack's Web API and a model server, each a process of its own."""
    with run_instant_model_server(seconds=ANSWER_SECONDS) as model_url, run_stand_in() as stand_in:
        yield Stage(
            bare=lambda: Service(slack_service.__file__, "bare"),
            nightbake=lambda: Service(slack_service.__file__, "nightbake", url, stand_in.api_url, model_url),
            make_events=lambda seed, run: SlackEvents(seed=seed, run=run),
            make_headers=sign,
            read_answers=lambda: Answers(**stand_in.report()),
            ack_seconds=ACK_SECONDS,
        )


main = build_command(
    __doc__ or "",
    open_stage,
    title="Slack's events: stored, then acknowledged, while answers are generated and a worker is killed",
    rates="20,100,300",
    seconds=60.0,
    headline_rate=100,
)

if __name__ == "__main__":
    main()
