"""A reply in the terminal: the answer as it comes, then its sources."""

from rich.text import Text

from bot.reply import FinishedAnswer
from cli.output import console
from core.prompt import Language


class TerminalReply:
    """Prints what is new of the text; silent where the caller wants JSON only."""

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._shown = ""

    async def open(self, interaction_id: int, language: Language) -> str:
        """A terminal has no message of its own: the interaction names the reply."""
        return f"cli:{interaction_id}"

    async def show(self, text: str) -> None:
        """Print the part that was not printed yet."""
        if not self._silent:
            console.print(text[len(self._shown) :], end="", markup=False, soft_wrap=True)
        self._shown = text

    async def close(self, answer: FinishedAnswer) -> None:
        """Print the final text where it differs from what was streamed, then the sources."""
        if self._silent:
            return
        console.print()
        if answer.notice:
            console.print(answer.notice, style="dim", markup=False, soft_wrap=True)
        if answer.text.strip() != self._shown.strip():
            console.print(answer.text, markup=False, soft_wrap=True)
        for source in answer.sources:
            page = f", p. {source.page}" if source.page else ""
            place = " > ".join(part for part in (source.title, source.heading_path) if part)
            parts = ((f"[{source.number}]", "cyan"), f" {place}{page}  ", (source.url, "dim"))
            console.print(Text.assemble(*parts), soft_wrap=True)
        console.print(f"[dim]answer {answer.interaction_id}[/]")

    async def decline(self, message: str) -> None:
        """Print why there is no answer."""
        console.print(message, markup=False, soft_wrap=True)
