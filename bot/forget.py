"""Forget me, on every platform the same way: what `core.forgetting` does is asked for in a chat, and told there."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from bot.inbox import Claimed
from core.database import Database
from core.forgetting import Forgetting, Receipt
from core.sql import load_queries

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

FORGET = "forget"

# Tells the person, on their platform, that it is done.
TellForgotten = Callable[[Claimed, Receipt], Awaitable[None]]


class ForgetHandler:
    """Forgets, tells the person, and leaves nothing of the wish itself.

    Args:
        tell: by platform.
    """

    def __init__(self, database: Database, forgetting: Forgetting, *, tell: Mapping[str, TellForgotten]) -> None:
        self._database = database
        self._forgetting = forgetting
        self._tell = tell

    async def __call__(self, claimed: Claimed) -> None:
        """Bears repetition: a second time there is nothing left to erase."""
        receipt = await self._forgetting.forget(claimed.payload["person"], by="forget-me", keep_inbox=claimed.id)
        if receipt.folders_left:
            left = ", ".join(receipt.folders_left)
            log.warning("weights of retired adapters stay until the model server lets go", extra={"adapters": left})
        if tell := self._tell.get(claimed.platform):
            await tell(claimed, receipt)
        await self._database.execute(QUERIES["blank_event"], {"id": claimed.id})
