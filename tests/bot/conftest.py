"""What every platform's tests share."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.model_server import FakeModelServer, run_model_server


@pytest.fixture
async def chat_model() -> AsyncIterator[FakeModelServer]:
    """A model server that always says what the leave policy says."""
    async with run_model_server() as fake:
        yield fake
