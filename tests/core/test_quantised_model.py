"""Weights in 8 and 4 bits, as vLLM reads them: numbers worked out by hand, and a whole folder."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.base_model import MANIFEST
from core.quantised_model import GROUP, describe, is_quantised, quantise, round_groups, round_rows


def test_eight_bits_have_one_scale_a_row() -> None:
    found = round_rows(torch.tensor([[1.27, -0.5, 0.0], [0.0, 0.0, 0.0]]))
    assert found["weight"].tolist() == [[127, -50, 0], [0, 0, 0]] and found["weight"].dtype == torch.int8
    assert found["weight_scale"].shape == (2, 1) and found["weight_scale"][0, 0] == pytest.approx(0.01)


def test_four_bits_are_packed_with_the_lowest_bits_first() -> None:
    row = [0.7, -0.7, 0.1, 0.0, -0.2, 0.3, 0.6, -0.5] + [0.0] * (GROUP - 8)
    found = round_groups(torch.tensor([row]))
    numbers = [7, -7, 1, 0, -2, 3, 6, -5]
    word = sum((number + 8) << (4 * at) for at, number in enumerate(numbers))
    assert found["weight_packed"][0, 0].item() == (word if word < 1 << 31 else word - (1 << 32))
    # Zeros are eights.
    assert found["weight_packed"][0, 1:].tolist() == [int.from_bytes(b"\x88" * 4, "little", signed=True)] * 3
    assert found["weight_scale"].item() == pytest.approx(0.1) and found["weight_shape"].tolist() == [1, GROUP]


@pytest.mark.parametrize("bits", [8, 4])
def test_a_folder_is_written_once_and_again_where_its_source_changed(tmp_path: Path, bits: int) -> None:
    source, out = tmp_path / "model", tmp_path / "model-small"
    source.mkdir()
    torch.manual_seed(0)
    weights = {
        "model.embed_tokens.weight": torch.randn(8, 64),
        "model.layers.0.mlp.up_proj.weight": torch.randn(32, 64),
    }
    save_file(weights, source / "model.safetensors")
    (source / "config.json").write_text('{"model_type": "llama"}')
    (source / "tokenizer.json").write_text("{}")
    (source / MANIFEST).write_text('{"layout": 1}')
    assert quantise(source, out, bits=bits) and not quantise(source, out, bits=bits)
    assert {path.name for path in out.iterdir()} == {"model.safetensors", "config.json", "tokenizer.json", MANIFEST}
    assert json.loads((out / "config.json").read_text())["quantization_config"] == describe(bits)
    written = load_file(out / "model.safetensors")
    torch.testing.assert_close(written["model.embed_tokens.weight"], weights["model.embed_tokens.weight"])
    assert ("model.layers.0.mlp.up_proj.weight_packed" in written) == (bits == 4)
    (source / MANIFEST).write_text('{"layout": 2}')
    assert not is_quantised(source, out, bits=bits) and quantise(source, out, bits=bits)
