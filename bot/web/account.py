"""Opening the console by a token that is typed, and signing out."""

from aiohttp import web
from jinja2 import Environment

from bot.web.gate import Gate
from bot.web.guard import get_text, read_json
from bot.web.pages import render
from bot.web.people import VISITOR, Visitors
from bot.web.sessions import Sessions
from bot.web.wording import WORDING, choose_language
from core.audit import record_act
from core.database import Database

LONGEST_TOKEN = 200


class Account:
    """Two requests and the page after the last."""

    def __init__(
        self, *, templates: Environment, database: Database, gate: Gate, visitors: Visitors, sessions: Sessions
    ) -> None:
        self._templates = templates
        self._database = database
        self._gate = gate
        self._visitors = visitors
        self._sessions = sessions

    def routes(self) -> list[web.RouteDef]:
        """What to add to the application."""
        return [
            web.post("/sign-in/token", self.open_console),
            web.post("/sign-out", self.sign_out),
            web.get("/signed-out", self.show_signed_out),
        ]

    async def open_console(self, request: web.Request) -> web.Response:
        """A session for a token: 200, or 401."""
        token = await self._gate.open_console(
            get_text(await read_json(request), "token", longest=LONGEST_TOKEN), request
        )
        if token is None:
            return web.json_response({"error": WORDING[choose_language(request)]["token_wrong"]}, status=401)
        response = web.json_response({"message": ""})
        self._visitors.let_in(response, token)
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session here and everywhere that it is known; 200 also where there is none."""
        await read_json(request)
        visitor = request[VISITOR]
        if visitor.session:
            await self._sessions.end(visitor.session.token_hash)
            await record_act(self._database, actor=visitor.actor, act="sign out", subject=request.remote or "")
        response = web.json_response({"message": ""})
        self._visitors.let_out(response)
        return response

    async def show_signed_out(self, request: web.Request) -> web.Response:
        """That one is out, and the way back."""
        return render(self._templates, "signed_out.html", request)
