"""A night at work whose pairs somebody asked to be forgotten: it ends, and its adapter with it."""

from core.adapters import Adapters
from core.errors import NightbakeError
from core.forgetting import REASON
from learning.runs import Run


class PairsLostError(NightbakeError):
    """Somebody asked to be forgotten while the night was at work; the next one trains without them."""


async def check_pairs_kept(adapters: Adapters, run: Run) -> None:
    """End the night where it trains on what was forgotten since it collected.

    Raises:
        PairsLostError: its adapter is retired; who is forgotten next takes the weights along, if they are still there.
    """
    if not run.has_lost_pairs:
        return
    if run.adapter:
        await adapters.reject(run.adapter, REASON)
    raise PairsLostError(
        "somebody asked to be forgotten while the night was at work; `nightbake night` begins one without them"
    )
