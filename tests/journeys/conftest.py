"""The browser of the chat page's tests."""

from tests.bot.web.conftest import browser

__all__ = ["browser"]
