"""The standing prompt in the weights: KL as it is computed by hand, and the child process by its own door."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.prompt import PROMPT_VERSION, PromptPassage, build_messages, shorten_prompt
from core.weights import WEIGHTS, hash_file
from learning.bake import adapt, as_teacher, measure_kl, read_question
from learning.job import BakeJob
from learning.serve import check_weights
from learning.trainer import read_evaluation, read_manifest, run_child, write_rows

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers.*"),
    pytest.mark.timeout(300),  # training starts a process that imports torch, which takes a busy machine minutes
]


def make_row(number: int) -> dict[str, Any]:
    messages = build_messages(f"What of {number}?", [PromptPassage("Rules", "", f"Rule {number} says {number * 7}.")])
    return {"prompt": messages, "language": "en", "sha256": f"{number:064d}"}


def test_the_divergence_is_that_of_two_plain_forwards_over_the_whole_vocabulary(base_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    plain: Any = AutoModelForCausalLM.from_pretrained(base_model).eval()
    model = adapt(AutoModelForCausalLM.from_pretrained(base_model), BakeJob(str(base_model), rank=4, alpha=8))
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.1)
    question = read_question(tokenizer, make_row(1))
    question.answers = [[30, 31, 32], [40]]
    merged: Any = adapt(AutoModelForCausalLM.from_pretrained(base_model), BakeJob(str(base_model), rank=4, alpha=8))
    merged.load_state_dict(model.state_dict())
    student = merged.merge_and_unload().eval()
    expected = []
    for answer in question.answers:
        whole = [*answer, tokenizer.eos_token_id]
        logits = []
        for one, prompt in ((plain, question.long), (student, question.short)):
            with torch.no_grad():
                rows = one(input_ids=torch.tensor([[*prompt, *whole]])).logits[0]
            logits.append(rows[len(prompt) - 1 : -1].log_softmax(-1))
        wanted, given = logits
        expected.append((wanted.exp() * (wanted - given)).sum(-1))
    measured = measure_kl(model, question)
    torch.testing.assert_close(measured.detach(), torch.cat(expected), atol=1e-4, rtol=1e-3)
    assert measured.shape == (3 + 1 + 1 + 1,) and measured.min() > 0


def test_the_adapter_that_is_started_from_is_the_teacher_and_stays(base_model: Path, tmp_path: Path) -> None:
    first = adapt(AutoModelForCausalLM.from_pretrained(base_model), BakeJob(str(base_model), rank=4, alpha=8))
    for name, weights in first.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.1)
    first.save_pretrained(str(tmp_path))
    (tmp_path / "manifest.json").write_text(json.dumps({"sha256": hash_file(tmp_path / WEIGHTS)}))
    job = BakeJob(str(base_model), start_from=str(tmp_path), rank=4, alpha=8)
    model = adapt(AutoModelForCausalLM.from_pretrained(base_model), job)
    ids = torch.tensor([[5, 6, 7, 8]])
    wanted = first(input_ids=ids).logits
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    torch.testing.assert_close(model(input_ids=ids).logits, wanted)
    with torch.no_grad():
        for weights in trained:
            weights.add_(0.1)
    with as_teacher(model):
        torch.testing.assert_close(model(input_ids=ids).logits, wanted)
    assert not torch.allclose(model(input_ids=ids).logits, wanted)
    assert [weights for weights in model.parameters() if weights.requires_grad] == trained


async def test_a_child_bakes_an_adapter_that_answers_as_the_prompted_model_does(
    base_model: Path, tmp_path: Path
) -> None:
    job = BakeJob(
        str(base_model), rank=8, alpha=16, learning_rate=1e-2, epochs=8, threads=1, answer_tokens=6, dtype="float32"
    )
    folder, events = tmp_path / "job", []

    async def hear(event: dict[str, Any]) -> None:
        events.append(event["event"])

    rows = {"questions": list(map(make_row, range(16))), "held_out": list(map(make_row, range(90, 96)))}
    write_rows(folder, asdict(job), **rows)
    await run_child(folder, "learning.bake", progress=hear)
    manifest = read_manifest(folder / "adapter")
    assert manifest and manifest["baked"]["kl_reduction"] > 0.5
    assert (manifest["baked_prompt"], manifest["trained"], manifest["steps"]) == (PROMPT_VERSION, "baked", 8 * 4)
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    prompt = make_row(90)["prompt"]
    lengths = [
        len(tokenizer.apply_chat_template(one, add_generation_prompt=True, return_dict=True)["input_ids"])
        for one in (prompt, shorten_prompt(prompt))
    ]
    assert manifest["baked"]["tokens_saved"] == pytest.approx(lengths[0] - lengths[1])
    check_weights(folder / "adapter")
    evaluation = read_evaluation(folder / "adapter")
    # What proves the served adapter are the prompts that it will be served with.
    proven = [proof["chosen"]["prompt_length"] for proof in evaluation["proofs"].values()]
    assert proven and max(proven) <= lengths[1]
    assert {"taught", "step", "evaluating", "scored", "finished"} <= set(events)
