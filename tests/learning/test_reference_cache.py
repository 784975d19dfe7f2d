"""Scores under the base model that outlive a night."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from learning.losses import Tokens
from learning.reference_cache import Reference, ReferenceCache, hash_weights

PAIR = {"chosen": Tokens([1, 2, 3, 4], 2), "rejected": Tokens([1, 2, 5], 2)}
OTHER = {"chosen": Tokens([1, 2, 3, 4], 3), "rejected": Tokens([1, 2, 5], 2)}
SCORES = {"chosen": -1.1, "rejected": -0.30000000000000004}
CONTEXT = {"weights": "a", "threads": 2}


def test_a_score_is_found_again_to_the_last_bit(tmp_path: Path) -> None:
    ReferenceCache(tmp_path / "new", CONTEXT).add(PAIR, SCORES)

    assert ReferenceCache(tmp_path / "new", CONTEXT).find(PAIR) == SCORES


@pytest.mark.parametrize("changed", [{"weights": "b"}, {"threads": 1}])
def test_another_context_knows_nothing(changed: dict, tmp_path: Path) -> None:
    ReferenceCache(tmp_path, CONTEXT).add(PAIR, SCORES)

    assert ReferenceCache(tmp_path, CONTEXT | changed).find(PAIR) is None


def test_the_same_tokens_cut_elsewhere_are_another_pair(tmp_path: Path) -> None:
    cache = ReferenceCache(tmp_path, CONTEXT)
    cache.add(PAIR, SCORES)

    assert cache.find(OTHER) is None


@pytest.mark.parametrize("kept", range(0, 100, 9))
def test_a_torn_line_is_computed_anew_and_spoils_no_other(kept: int, tmp_path: Path) -> None:
    cache = ReferenceCache(tmp_path, CONTEXT)
    cache.add(OTHER, SCORES)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:kept])
    ReferenceCache(tmp_path, CONTEXT).add(PAIR, SCORES)

    again = ReferenceCache(tmp_path, CONTEXT)

    assert (again.find(OTHER), again.find(PAIR)) == (SCORES, SCORES)


def test_a_changed_digit_is_not_believed(tmp_path: Path) -> None:
    ReferenceCache(tmp_path, CONTEXT).add(PAIR, SCORES)
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text().replace("-0x1.1", "-0x1.2"))

    assert ReferenceCache(tmp_path, CONTEXT).find(PAIR) is None


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = ReferenceCache(tmp_path / "file", CONTEXT)

    cache.add(PAIR, SCORES)

    assert cache.find(PAIR) == SCORES


WRITER = """
import sys
from pathlib import Path
from learning.losses import Tokens
from learning.reference_cache import ReferenceCache
cache = ReferenceCache(Path(sys.argv[1]), {})
for number in range(200):
    tokens = Tokens([int(sys.argv[2]), number], 1)
    cache.add({"chosen": tokens, "rejected": tokens}, {"chosen": -1.0, "rejected": -2.0})
"""


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(n)]) for n in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]

    cache = ReferenceCache(tmp_path, {})

    pairs = [
        {side: Tokens([writer, n], 1) for side in ("chosen", "rejected")} for writer in range(2) for n in range(200)
    ]
    assert all(cache.find(pair) for pair in pairs)


def test_one_bit_of_one_weight_makes_another_base_model() -> None:
    weights = {"a": torch.ones(3, dtype=torch.bfloat16), "b": torch.zeros(2, 2)}
    before = hash_weights(weights.items())
    weights["b"][1, 1] = 1e-38

    assert hash_weights(reversed([*weights.items()])) != before
    weights["b"][1, 1] = 0
    assert hash_weights(reversed([*weights.items()])) == before


def test_a_known_pair_does_not_ask_the_model() -> None:
    cache = ReferenceCache(None, {})
    cache.add(PAIR, SCORES)
    events: list[dict] = []

    assert Reference(None, cache).score_all([PAIR, PAIR], events.append) == [SCORES, SCORES]
    assert events[-1] == {"event": "referred", "pair": 2, "pairs": 2}
