"""Log-probabilities under the base model, kept from night to night: tonight's window overlaps last night's.

One file of lines for each context (weights, number format, threads and whatever else a value depends on), so that a
cached value is bit for bit the one that would be computed. Lines are only ever appended, each by one write, and carry
a checksum: a line that a killed process tore, or that two writers mixed, is not found again and is computed anew.
It holds hashes and numbers, no text. A line takes about 120 bytes; a file of another base model is never read again
and may be removed, even while a night runs.
"""

import hashlib
import json
import logging
import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from learning.losses import SIDES, Scores, Tokens, score_pair

log = logging.getLogger(__name__)


class ReferenceCache:
    """Scores of pairs under one base model. Without a folder it remembers nothing.

    Args:
        context: all that a value depends on besides the pair's tokens; must be JSON.
    """

    def __init__(self, folder: Path | None, context: Mapping[str, Any]) -> None:
        name = hashlib.sha256(json.dumps(context, sort_keys=True).encode()).hexdigest()[:32]
        self._path = folder / f"{name}.txt" if folder else None
        self._known = dict(_read_lines(self._path)) if self._path else {}

    def find(self, pair: Mapping[str, Tokens]) -> Scores | None:
        """The scores of this pair, if they are known."""
        return self._known.get(make_key(pair))

    def add(self, pair: Mapping[str, Tokens], scores: Scores) -> None:
        """Keep the scores of a pair. A disk that takes no more is noted and borne: the value can be computed again."""
        key = make_key(pair)
        self._known[key] = scores
        if not self._path:
            return
        # The line break in front ends what a killed writer may have left of its line.
        line = f"\n{_seal(' '.join([key, *(scores[side].hex() for side in SIDES)]))}\n".encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError as error:
            log.warning("a reference score was not kept", extra={"error": str(error)})


class Reference:
    """Scores of pairs under the base model, from the cache where they are known.

    Args:
        model: the base model in evaluation mode. Once it carries an adapter, ask only while that is switched off.
    """

    def __init__(self, model: Any, cache: ReferenceCache) -> None:
        self._model = model
        self._cache = cache

    def score(self, pair: Mapping[str, Tokens]) -> Scores:
        """One pair's scores."""
        known = self._cache.find(pair)
        if known is None:
            known = score_pair(self._model, pair)
            self._cache.add(pair, known)
        return known

    def score_all(self, pairs: Sequence[Mapping[str, Tokens]], emit: Callable[[dict[str, Any]], None]) -> list[Scores]:
        """Every pair's scores, in order; one line of progress each."""
        scores = []
        for number, pair in enumerate(pairs, start=1):
            scores.append(self.score(pair))
            emit({"event": "referred", "pair": number, "pairs": len(pairs)})
        return scores


def make_key(pair: Mapping[str, Tokens]) -> str:
    """Hash of a pair's token ids and of where its answers begin."""
    content = [[pair[side].prompt_length, pair[side].ids] for side in SIDES]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def describe_base(model: Any, *, dtype: str, threads: int) -> dict[str, Any]:
    """The context of a base model's scores: sums depend on number format, threads, device and library too."""
    config = {key: value for key, value in model.config.to_dict().items() if key != "_name_or_path"}
    return {
        "weights": hash_weights(model.named_parameters()),
        "config": json.loads(json.dumps(config, default=str)),
        "dtype": dtype,
        "threads": threads,
        "device": torch.cuda.get_device_name()
        if model.device.type == "cuda"
        else torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def hash_weights(parameters: Iterable[tuple[str, torch.Tensor]]) -> str:
    """One hash over names and bytes of all weights; about a second a gigabyte and thread."""
    named = sorted(parameters, key=lambda item: item[0])

    def hash_one(item: tuple[str, torch.Tensor]) -> bytes:
        name, tensor = item
        digest = hashlib.blake2b(f"{name} {list(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return digest.digest()

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return hashlib.blake2b(b"".join(pool.map(hash_one, named)), digest_size=32).hexdigest()


def _read_lines(path: Path) -> Iterable[tuple[str, Scores]]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        body, _, _ = line.rpartition(" ")
        if body and line == _seal(body):
            key, *values = body.split(" ")
            yield key, dict(zip(SIDES, map(float.fromhex, values), strict=True))


def _seal(body: str) -> str:
    return f"{body} {zlib.crc32(body.encode()):08x}"
