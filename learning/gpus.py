"""The GPUs of this machine as nvidia-smi sees them; none where there is no such command."""

import asyncio

from learning.plan import Gpu

QUERY = ("--query-gpu=index,memory.total,memory.free", "--format=csv,noheader,nounits")
MIB_A_GIB = 1024


async def read_gpus() -> list[Gpu]:
    """Each GPU with its memory now, by index."""
    try:
        process = await asyncio.create_subprocess_exec(
            "nvidia-smi", *QUERY, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return []
    output, _ = await process.communicate()
    return [] if process.returncode else [_read(line) for line in output.decode().splitlines() if line.strip()]


def _read(line: str) -> Gpu:
    index, total, free = (int(cell) for cell in line.split(","))
    return Gpu(index, total / MIB_A_GIB, free / MIB_A_GIB)
