"""How much one file may unpack to, nested files included: what stops an archive that is a bomb."""

from dataclasses import dataclass

from core.errors import InvalidInputError

MAX_UNPACKED_BYTES = 400_000_000
MAX_MEMBERS = 2000
MAX_DEPTH = 3


class BurstError(InvalidInputError):
    """A file unpacks to more than is read of one: nothing of it is."""


@dataclass(slots=True)
class Budget:
    """What is left for one file on its way in, shared by every archive and attachment inside it.

    Attributes:
        depth: of nesting, 0 for the file itself.
    """

    unpacked_bytes: int = MAX_UNPACKED_BYTES
    members: int = MAX_MEMBERS
    depth: int = 0

    def take(self, unpacked_bytes: int) -> None:
        """Account for one member before it is unpacked.

        Raises:
            BurstError: there are too many members, or they unpack to too much.
        """
        self.members -= 1
        self.unpacked_bytes -= unpacked_bytes
        if self.members < 0:
            raise BurstError(f"holds more than {MAX_MEMBERS:,} files; split it")
        if self.unpacked_bytes < 0:
            raise BurstError(f"unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; split it")

    def enter(self) -> None:
        """Go one level down.

        Raises:
            InvalidInputError: too deep.
        """
        if self.depth >= MAX_DEPTH:
            raise InvalidInputError(f"expected at most {MAX_DEPTH} archives inside each other, got more; unpack it")
        self.depth += 1

    def leave(self) -> None:
        """Come back up."""
        self.depth -= 1
