"""Forgetting as the house builds it, for tests of every room."""

from pathlib import Path

from core.adapters import Adapters
from core.database import Database
from core.forgetting import Forgetting
from core.model_server import ModelServer
from core.serving import Serving
from retrieval.examples import forget_examples


def build_forgetting(database: Database, model_server: ModelServer, home: Path) -> Forgetting:
    """Touches the model server and the folder only where an adapter was trained on somebody."""
    adapters = Adapters(database)
    return Forgetting(
        database=database,
        adapters=adapters,
        serving=Serving(adapters=adapters, model_server=model_server),
        model_server=model_server,
        home=home,
        unlearn=forget_examples,
    )
