"""Compound files (version 3) with streams in storages: the container of .hwp, which nothing we use can write."""

from itertools import pairwise
from struct import pack

SECTOR = 512
MINI = 64
CUTOFF = 4096
END, FREE, FAT_SECTOR, NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF


def build_compound_file(streams: dict[str, bytes]) -> bytes:
    """A file of streams named `FileHeader` or `BodyText/Section0`, one storage deep at most."""
    small = {name: content for name, content in streams.items() if len(content) < CUTOFF}
    mini_stream, mini_fat, starts = b"", [], {}
    for name, content in small.items():
        starts[name] = len(mini_fat)
        count = -(-len(content) // MINI)
        mini_fat += chain(len(mini_fat), count)
        mini_stream += content.ljust(count * MINI, b"\0")
    sectors: list[bytes] = []
    fat: list[int] = []

    def add(content: bytes) -> int:
        """Store something in sectors of its own; the first one's number."""
        start, count = len(sectors), -(-len(content) // SECTOR)
        sectors.extend(content[n * SECTOR : (n + 1) * SECTOR].ljust(SECTOR, b"\0") for n in range(count))
        fat.extend(chain(start, count))
        return start if count else END

    for name in streams.keys() - small.keys():
        starts[name] = add(streams[name])
    mini_start = add(mini_stream)
    mini_fat_start = add(b"".join(pack("<I", entry) for entry in mini_fat))
    directory_start = add(build_directory(streams, starts, mini_start, len(mini_stream)))
    fat_sectors = -(-(len(fat) + 4) // 128)
    places = range(len(sectors), len(sectors) + fat_sectors)
    fat += [FAT_SECTOR] * fat_sectors + [FREE] * (fat_sectors * 128 - len(fat) - fat_sectors)
    header = pack("<8s16xHHHHH6xIIIIIIIII", bytes.fromhex("d0cf11e0a1b11ae1"), 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors,
                  directory_start, 0, CUTOFF, mini_fat_start, -(-len(mini_fat) // 128), END, 0)  # fmt: skip
    header += b"".join(pack("<I", place) for place in places).ljust(436, b"\xff")
    return header + b"".join(sectors) + b"".join(pack("<I", entry) for entry in fat)


def chain(start: int, count: int) -> list[int]:
    return [*range(start + 1, start + count), END] if count else []


def build_directory(streams: dict[str, bytes], starts: dict[str, int], mini_start: int, mini_size: int) -> bytes:
    """Entries of 128 bytes; siblings hang to the right of each other."""
    storages = sorted({name.split("/")[0] for name in streams if "/" in name})
    names = ["Root Entry", *storages, *streams]
    numbers = {name: number for number, name in enumerate(names)}

    def link(siblings: list[str]) -> dict[str, int]:
        return {name: numbers[after] for name, after in pairwise(siblings)}

    top = [*storages, *(name for name in streams if "/" not in name)]
    inside = {storage: [name for name in streams if name.startswith(f"{storage}/")] for storage in storages}
    right = link(top) | {name: after for below in inside.values() for name, after in link(below).items()}
    entries = [entry("Root Entry", 5, NONE, numbers[top[0]], mini_start, mini_size)]
    entries += [entry(storage, 1, right.get(storage, NONE), numbers[inside[storage][0]], 0, 0) for storage in storages]
    for name, content in streams.items():
        start = starts[name] if content else END
        entries.append(entry(name.split("/")[-1], 2, right.get(name, NONE), NONE, start, len(content)))
    return b"".join(entries)


def entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return pack("<64sHBBIII36xIII", encoded, len(encoded), kind, 1, NONE, right, child, start, size, 0)
