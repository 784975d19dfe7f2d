"""Slack's Web API for a benchmark, in a process of its own: answers at once, and counts the answers in each thread.

Prints its address and serves; for each line on standard input it prints what it holds, as one JSON object:
`finished`, the number of finished answers in each thread, and `unfinished`, messages that never became an answer.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.instant_model_server import ANSWER
from tests.fakes.slack import FakeSlack, read_message

WORDS = ANSWER.partition(" [")[0]


class StandIn:
    """The process, as its parent holds it."""

    def __init__(self, process: subprocess.Popen[str], api_url: str) -> None:
        self._process = process
        self.api_url = api_url

    def report(self) -> dict[str, Any]:
        """What it holds now."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def run_stand_in() -> Iterator[StandIn]:
    """Serve for the length of a block."""
    command = (sys.executable, __file__)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield StandIn(process, process.stdout.readline().strip())
        finally:
            process.terminate()


def count_answers(slack: FakeSlack) -> dict[str, Any]:
    """What a parent is told; threads are named `channel:thread`."""
    finished: Counter[str] = Counter()
    unfinished = 0
    for key, message in slack.messages.items():
        thread = f"{key.partition(':')[0]}:{message['thread_ts']}"
        is_finished = key not in slack.streaming and any(block["type"] == "actions" for block in message["blocks"])
        if is_finished and WORDS in read_message(message):
            finished[thread] += 1
        else:
            unfinished += 1
    return {"finished": finished, "unfinished": unfinished}


async def _serve() -> None:
    async with FakeSlack() as slack:
        print(slack.api_url, flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(count_answers(slack)), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
