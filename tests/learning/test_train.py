"""The training process by its own door: a job folder in, an adapter out."""

from pathlib import Path
from typing import Any

import pytest

from learning.pair_export import hash_single
from learning.trainer import read_evaluation, read_manifest, run_trainer, write_job
from tests.learning.tiny_model import write_tiny_model

LONG = "passage " * 1100


def make_row(number: int) -> dict[str, Any]:
    content = {"prompt": f"{LONG} {number}?", "chosen": f"yes, {number}", "rejected": f"no, not {number}"}
    roles = {"prompt": "user", "chosen": "assistant", "rejected": "assistant"}
    row = {key: [{"role": roles[key], "content": text}] for key, text in content.items()}
    return row | {"sha256": f"{number:064d}", "language": "en"}


async def train(folder: Path, job: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []

    async def hear(event: dict[str, Any]) -> None:
        events.append(event)

    write_job(folder, job, train=[make_row(n) for n in range(3)], held_out=[make_row(9)])
    await run_trainer(folder, progress=hear)
    return events


async def test_a_second_night_keeps_its_references_and_trains_the_same_adapter(
    base_model: Path, tmp_path: Path
) -> None:
    job = {
        "base_model": str(base_model),
        "rank": 4,
        "alpha": 8,
        "threads": 1,
        "reference_cache": str(tmp_path / "reference"),
    }
    events = await train(tmp_path / "first", job)
    (cache,) = (tmp_path / "reference").iterdir()
    kept = cache.read_bytes()
    await train(tmp_path / "second", job | {"prices": {"currency": "EUR", "hour": 3600, "watts": 100}})

    first, second = (read_manifest(tmp_path / night / "adapter") for night in ("first", "second"))
    assert first and second and second["sha256"] == first["sha256"]
    assert cache.read_bytes() == kept and kept.count(b"0x") == 2 * (3 + 1)
    assert first["prefix_shared"] and first["pairs"] == 3
    # What it took stands in the manifest and changes no weight.
    assert (first["gpu_seconds"], first["cost"], second["base_hash"]) == (0, None, first["base_hash"])
    assert second["cost"] == {"amount": pytest.approx(second["device_seconds"], abs=0.01), "currency": "EUR"}
    assert second["device_seconds"] == pytest.approx(sum(second["seconds"].values()), abs=0.05)
    # Nothing is cut: TRL would keep 1,024 tokens of a pair at most.
    evaluation = read_evaluation(tmp_path / "first" / "adapter")
    assert all(len(proof["chosen"]["ids"]) > 1024 for proof in evaluation["proofs"].values())
    assert first["tokens"] > 2 * 2 * 3 * 1024
    assert [event["event"] for event in events].count("referred") == 3


def make_single(number: int, *, label: bool) -> dict[str, Any]:
    row = {
        "prompt": [{"role": "user", "content": f"What of {number}?"}],
        "completion": [{"role": "assistant", "content": f"It is {number} for all."}],
        "label": label,
    }
    return row | {"sha256": hash_single(row)}


async def test_single_votes_move_their_answers_the_way_people_want(base_model: Path, tmp_path: Path) -> None:
    job = {"base_model": str(base_model), "rank": 4, "alpha": 8, "threads": 1, "epochs": 6, "learning_rate": 3e-3}
    singles = [make_single(number, label=number % 2 == 0) for number in range(8)]
    # Held out in the same words: what is liked against what is disliked, which no pair says.
    sides = {"prompt": singles[0]["prompt"], "chosen": singles[0]["completion"]}
    held_out = [
        sides | {"rejected": singles[1]["completion"], "sha256": "0" * 64, "language": "en"},
        {"prompt": singles[1]["prompt"], "chosen": singles[2]["completion"], "rejected": singles[1]["completion"]}
        | {"sha256": "1" * 64, "language": "en"},
    ]
    evaluations = {}
    for name, some in (("with", singles), ("without", [])):
        folder = tmp_path / name
        write_job(
            folder,
            job,
            train=[make_row(n) | {"prompt": make_short(n)} for n in range(2)],
            held_out=held_out,
            singles=some,
        )
        await run_trainer(folder, progress=ignore)
        evaluations[name] = read_evaluation(folder / "adapter")["pairs"]
        manifest = read_manifest(folder / "adapter")
        assert manifest and (manifest["singles"], manifest["pairs"]) == (len(some), 2)
        assert all(point["loss"] > 0 for point in manifest["curve"])

    def gain(name: str, at: int) -> float:
        scored = evaluations[name][at]
        margins = [scored[who]["chosen"] - scored[who]["rejected"] for who in ("candidate", "base")]
        return margins[0] - margins[1]

    assert gain("with", 0) > gain("without", 0) + 0.5
    assert gain("with", 1) > gain("without", 1) + 0.5


def make_short(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"{number}?"}]


async def ignore(_: dict[str, Any]) -> None:
    """Progress is not looked at."""


async def test_four_bits_train_and_are_scored_with_the_weights_that_are_served(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    base_model = tmp_path / "model"
    # A row is a whole number of blocks, which bitsandbytes wants on a CPU with bfloat16.
    write_tiny_model(base_model, width=64)
    evaluations, manifests = {}, {}
    for bits in (16, 4):
        job = {"base_model": str(base_model), "rank": 4, "alpha": 8, "threads": 1, "bits": bits, "learning_rate": 1e-3}
        folder = tmp_path / str(bits)
        rows = [make_row(n) | {"prompt": make_short(n)} for n in range(3)]
        write_job(folder, job, train=rows[:2], held_out=rows[2:])
        await run_trainer(folder, progress=ignore)
        evaluations[bits], manifests[bits] = (
            read_evaluation(folder / "adapter")["pairs"][0],
            read_manifest(folder / "adapter"),
        )
    assert evaluations[4]["base"] == evaluations[16]["base"]
    assert manifests[4]["sha256"] != manifests[16]["sha256"]
    assert manifests[4]["curve"][-1]["margin"] > 0 and manifests[4]["prefix_shared"]
