"""Office documents as zip packages: what they would unpack to is known before anything is unpacked."""

import io
import zipfile

from core.errors import InvalidInputError

MAX_UNPACKED_BYTES = 200_000_000
# Written by people, XML packs to a tenth or twentieth; only a long run of the same bytes packs to a thousandth.
MAX_RATIO = 200
_RATIO_COUNTS_FROM_BYTES = 10_000_000
# The container of the formats before 2007, which is also that of an encrypted document.
OLE_MARK = bytes.fromhex("d0cf11e0a1b11ae1")


def check_package(content: bytes, *, kind: str, suffix: str) -> None:
    """Refuse what is no zip, is encrypted, or is a bomb.

    Args:
        kind: for the message, `Word document`.

    Raises:
        InvalidInputError: any of these; the message says what to do.
    """
    if content.startswith(OLE_MARK):
        raise InvalidInputError(
            f"the {kind} is encrypted or in an older format; save it as {suffix} without a password"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise build_broken(kind, suffix) from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise InvalidInputError(f"the {kind} is encrypted; save it without a password")
    check_unpacked(sum(entry.file_size for entry in entries), len(content))


def check_unpacked(unpacked_bytes: int, packed_bytes: int) -> None:
    """Refuse what unpacks to more than `MAX_UNPACKED_BYTES`, or to `MAX_RATIO` times its size.

    Raises:
        InvalidInputError: it does.
    """
    if unpacked_bytes > MAX_UNPACKED_BYTES:
        raise InvalidInputError(
            f"unpacks to {unpacked_bytes:,} bytes, at most {MAX_UNPACKED_BYTES:,} are read; split the document"
        )
    if unpacked_bytes > max(_RATIO_COUNTS_FROM_BYTES, packed_bytes * MAX_RATIO):
        raise InvalidInputError(
            f"unpacks from {packed_bytes:,} to {unpacked_bytes:,} bytes, more than {MAX_RATIO} times; it is not read"
        )


def build_broken(kind: str, suffix: str) -> InvalidInputError:
    """The error of a document that its own program could not open either."""
    return InvalidInputError(f"expected a {kind}, got a broken one; open it, save it again as {suffix}")
