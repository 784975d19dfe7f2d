"""An adapter that has the standing prompt in its weights is not sent it again; every other model is."""

from bot.compose import Composer, Limits
from bot.draft import Draft
from core.adapters import Adapters
from core.database import Database
from core.model_server import ModelServer
from core.prompt import PROMPT_VERSION, SECURITY, SYSTEM
from core.records import Outcome
from tests.bot.assistant import LEAVE
from tests.fakes.model_server import FakeModelServer


async def find_standing(database: Database, chat_model: FakeModelServer, adapter: str | None) -> tuple[str, str]:
    """The standing prompt that the server was sent, and the one that is logged."""

    async def show(_: str) -> None:
        """Nobody looks."""

    server = ModelServer(chat_model.url, chat_model.model)
    composer = Composer(server, Limits(), find_baked=Adapters(database).find_baked_prompt)
    draft = Draft(Outcome(1, "", "stopped", adapter=adapter, passages=[LEAVE]))
    outcome = await composer.compose(draft, "en", "How many days of leave?", show)
    await server.close()
    return chat_model.requests[-1]["messages"][0]["content"], outcome.messages[0]["content"]


async def test_only_todays_version_shortens_the_prompt(database: Database, chat_model: FakeModelServer) -> None:
    adapters = Adapters(database)
    for name, manifest in (
        ("baked", {"baked_prompt": PROMPT_VERSION}),
        ("old", {"baked_prompt": "0" * 16}),
        ("night", {}),
    ):
        await adapters.register(name=name, folder=f"/{name}", base_model="base", sha256=name, manifest=manifest)
        chat_model.adapters[name] = f"/{name}"
    assert (await adapters.get("baked")).is_baked and not (await adapters.get("old")).is_baked
    found = {name: await find_standing(database, chat_model, name) for name in ("baked", "old", "night", None)}
    assert found == {"baked": (SECURITY,) * 2, "old": (SYSTEM,) * 2, "night": (SYSTEM,) * 2, None: (SYSTEM,) * 2}
