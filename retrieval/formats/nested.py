"""Files inside a file: each becomes a section under its name, and what cannot be read is named."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block, LeftOut
from retrieval.formats.budget import Budget, BurstError
from retrieval.formats.registry import extract


@dataclass(slots=True)
class Nested:
    """What the files inside a file gave so far; `changed_at` is the newest of their dates."""

    blocks: list[Block] = field(default_factory=list[Block])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    needs_ocr: bool = False
    changed_at: datetime | None = None

    def read(self, content: bytes, name: str, budget: Budget, *, changed_at: datetime | None = None) -> None:
        """Add one file as a section, its own headings below its name.

        Args:
            changed_at: its date, unless its text says another.

        Raises:
            BurstError: all files together unpack to too much.
        """
        try:
            extracted = extract(content, name, budget)
        except BurstError:
            raise
        except InvalidInputError as error:
            self.leave_out(name, str(error))
            return
        self.blocks.append(Block("heading", name, level=1))
        for block in extracted.blocks:
            self.blocks.append(replace(block, level=block.level + 1) if block.kind == "heading" else block)
        self.left_out += [LeftOut(f"{name}!/{part.name}", part.reason) for part in extracted.left_out]
        self.needs_ocr |= extracted.needs_ocr
        dates = (self.changed_at, extracted.changed_at or changed_at)
        self.changed_at = max((date for date in dates if date), default=None)

    def leave_out(self, name: str, reason: str) -> None:
        """Name one that was not read."""
        self.left_out.append(LeftOut(name, reason))
