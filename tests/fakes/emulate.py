"""A Slack that is not written by us: emulate's, in a node process, with what it lacks put in between.

It sends signed events and keeps messages and reactions; it has no streaming, no clicks and no Socket Mode. Of an event
it leaves out which installation it is for and what kind of channel it is in, of a user whether they are a guest, and of
a call it reads bodies only. All this is put right on the way (`forward_event`, `forward_call`); its own signatures are
checked there.
"""

import asyncio
import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, FormData, web
from aiohttp.test_utils import TestServer
from slack_sdk.signature import SignatureVerifier

FOLDER = Path(__file__).parents[1] / "emulate"
SECRET = "signing-secret-of-emulate"
PERSON_TOKEN = "xoxp-ann"
INSTALL_SECONDS = 120

_EMPLOYEE = {"is_restricted": False, "is_ultra_restricted": False}


def install() -> None:
    """The packages of its lock file, once; skips the test where that cannot be."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("emulate needs node and npm, which are not here")
    with (FOLDER / ".installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed, wanted = FOLDER / "node_modules" / ".package-lock.json", FOLDER / "package-lock.json"
        if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
            return
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            pytest.skip(f"npm ci failed: {done.stderr.strip().splitlines()[-1:]}")


@dataclass
class Emulate:
    """The running stand-in.

    Attributes:
        events_url: where events go on, once a test has set it; `secret` is what they are signed with there.
        forwarded: types of the events that went on, with the status they got.
    """

    secret: str
    session: ClientSession
    url: str = ""
    api_url: str = ""
    team: str = ""
    ann: str = ""
    events_url: str = ""
    forwarded: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    async def call_as_ann(self, method: str, **arguments: Any) -> dict[str, Any]:
        """What Ann's own Slack would do."""
        headers = {"Authorization": f"Bearer {PERSON_TOKEN}"}
        async with self.session.post(f"{self.url}/api/{method}", json=arguments, headers=headers) as response:
            answer = await response.json()
        assert answer["ok"], answer
        return answer

    async def read_thread(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """The messages of a thread, as Slack keeps them."""
        return (await self.call_as_ann("conversations.replies", channel=channel, ts=ts))["messages"]

    async def forward_event(self, request: web.Request) -> web.Response:
        """Check the signature, add what emulate leaves out, sign again, pass on."""
        body = await request.read()
        headers = request.headers
        timestamp, signature = headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"]
        assert SignatureVerifier(SECRET).is_valid(body, timestamp, signature)
        event = json.loads(body)
        event["authorizations"] = [{"team_id": self.team, "user_id": "U0BOT", "is_bot": True}]
        if event["event"].get("channel", "").startswith("D"):
            event["event"]["channel_type"] = "im"
        changed = json.dumps(event)
        signed = SignatureVerifier(self.secret).generate_signature(timestamp=timestamp, body=changed)
        own = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signed or "",
        }
        async with self.session.post(self.events_url, data=changed, headers=own) as response:
            self.forwarded.append((event["event"]["type"], response.status))
            return web.Response(status=response.status, text=await response.text())

    async def forward_call(self, request: web.Request) -> web.Response:
        """A call whose arguments stand in the address is made one with a body; its users are employees."""
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        body: Any = await request.read()
        if request.query:
            headers.pop("Content-Type", None)
            body = FormData(dict(request.query))
        url = f"{self.url}/api/{request.match_info['method']}"
        async with self.session.post(url, data=body, headers=headers) as response:
            answer = await response.json(content_type=None)
        if "user" in answer and request.match_info["method"] == "users.info":
            answer["user"] = {**_EMPLOYEE, **answer["user"]}
        return web.json_response(answer, status=response.status)


@asynccontextmanager
async def run_emulate(
    *, bot_token: str, secret: str, scopes: list[str], redirect_url: str = ""
) -> AsyncGenerator[Emulate]:
    """Slack for the length of a block; its app is installed with these scopes, and lacks what needs others."""
    async with ClientSession() as session:
        emulate = Emulate(secret, session)
        app = web.Application()
        app.add_routes([web.post("/events", emulate.forward_event)])
        app.add_routes([web.route("*", "/api/{method}", emulate.forward_call)])
        async with TestServer(app) as between:
            emulate.api_url = str(between.make_url("/api/"))
            settings = {
                "eventsUrl": str(between.make_url("/events")),
                "signingSecret": SECRET,
                "botToken": bot_token,
                "personToken": PERSON_TOKEN,
                "scopes": scopes,
                "redirectUrls": [redirect_url],
            }
            process = await asyncio.create_subprocess_exec(
                "node", "serve.js", json.dumps(settings), cwd=FOLDER, stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout
            try:
                made = json.loads(await process.stdout.readline())
                emulate.url = made["url"].replace("localhost", "127.0.0.1")
                emulate.team, emulate.ann = made["team"], made["ann"]
                yield emulate
            finally:
                process.terminate()
                await process.communicate()
