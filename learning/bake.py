"""Prompt baking: the standing prompt distilled into an adapter, so that answers keep to it without reading it.

`python -m learning.bake FOLDER` is a child process like `learning.train`. The folder holds `job.json` and, in
`questions.jsonl` and `held_out.jsonl`, prompts as they are served, with the whole standing prompt. Teacher and student
are one model: the teacher sees the whole prompt and answers with the adapter switched off (or with the adapter that
the bake starts from), the student sees what stays of it (`core.prompt.SECURITY`) and has the adapter on. The loss is
the KL divergence of the two over the whole vocabulary at every token of the teacher's answers.

Source: prompt baking, Bhargava et al. 2024, arXiv:2409.13697. They draw the teacher's answers; we take the likeliest
beside drawn ones, because the likeliest is what is served.
"""

import gc
import json
import math
import random
import resource
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer

from core.prompt import PROMPT_VERSION, Language, shorten_prompt
from learning import child_process
from learning.child_process import Emit, make_deterministic, open_base, read_rows, write_adapter, write_synced
from learning.held_out import score_held_out
from learning.job import BakeJob
from learning.judges import Asked, grade
from learning.losses import autocast, find_causal_lm, tokenize_pair
from learning.manifest import describe_code, hash_rows, price
from learning.prefix_tree import Chat, answer_states, build_tree, find_obstacles
from learning.recipe import WARMUP_SHARE, build_lora
from learning.style import count_passages, keeps_style
from learning.trainer import check_finished

TEACHER = "teacher"
CLIP_NORM = 1.0
DRAWN_TEMPERATURE = 1.0
# Prompts that are answered together; each step costs hardly more for many than for one.
AT_ONCE = 16


@dataclass(slots=True)
class Question:
    """One prompt, as the teacher and as the student reads it, in token ids; `answers` are the teacher's."""

    sha256: str
    language: Language
    messages: list[dict[str, str]]
    long: list[int]
    short: list[int]
    answers: list[list[int]] = field(default_factory=list[list[int]])


@dataclass(frozen=True, slots=True)
class Reading:
    """How near the student is to the teacher on held-out questions; shares in [0, 1].

    Attributes:
        kl: mean nats an answer token, of the teacher's answers.
        style: answers that keep every rule of the standing prompt (`learning/style.py`).
        grounded: mean share of an answer's claims that the passages carry.
    """

    kl: float
    style: float
    grounded: float
    texts: list[str]


def work(folder: Path, emit: Emit) -> None:
    """The whole job as a list of steps."""
    began = time.monotonic()
    job = BakeJob(**json.loads((folder / "job.json").read_text()))
    make_deterministic(seed=job.seed, threads=job.threads)
    rows, held_out_rows = read_rows(folder / "questions.jsonl"), read_rows(folder / "held_out.jsonl")
    tokenizer = AutoTokenizer.from_pretrained(job.base_model)
    base = open_base(job, bits=job.bits)
    model = adapt(base.model, job)
    emit({"event": "loaded", "seconds": round(time.monotonic() - began, 1), "dtype": base.dtype})
    questions, held_out = ([read_question(tokenizer, row) for row in some] for some in (rows, held_out_rows))
    teach(model, tokenizer, [*held_out, *questions], job, emit)
    teacher = read_teacher(tokenizer, held_out)
    taught = time.monotonic()
    before = read_student(model, tokenizer, held_out, job)
    progress = distil(model, questions, job, emit, deadline=began + job.max_seconds)
    trained = time.monotonic()
    emit({"event": "evaluating", "pairs": len(held_out)})
    after = read_student(model, tokenizer, held_out, job)
    target = folder / "adapter"
    sha256 = write_adapter(model, target)
    base_hash, device = base.weights, base.model.device.type
    if job.bits != 16:
        # The proof is taken with the weights that are served; those of the training must go first.
        del model, base
        gc.collect()
        torch.cuda.empty_cache()
        base = open_base(job, bits=16, may_spill=True)
        model = PeftModel.from_pretrained(base.model, target)
    pairs = list_pairs(held_out, teacher, before)
    tokens = {row["sha256"]: tokenize_pair(tokenizer, row) for row in pairs}
    evaluation = score_held_out(model, pairs, tokens, emit, reference=base.reference)
    write_synced(target / "evaluation.json", json.dumps(evaluation, ensure_ascii=False).encode())
    evaluated = time.monotonic()
    manifest = {
        "base_model": job.base_model,
        "base_hash": base_hash,
        "sha256": sha256,
        "trained": "baked",
        "baked_prompt": PROMPT_VERSION,
        "made_from": Path(job.start_from).name if job.start_from else None,
        "job": asdict(job),
        "dtype": base.dtype,
        "questions": len(rows),
        "questions_sha256": hash_rows(rows),
        "held_out": len(held_out_rows),
        "held_out_sha256": hash_rows(held_out_rows),
        "baked": compare(teacher, before, after, held_out),
        **progress,
        "seconds": {
            "teach": round(taught - began, 2),
            "train": round(trained - taught, 2),
            "evaluate": round(evaluated - trained, 2),
        },
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **price(evaluated - began, device, threads=job.threads, **job.prices),
        **describe_code(),
    }
    write_synced(target / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1).encode())
    emit({"event": "finished", "sha256": sha256, "seconds": round(time.monotonic() - began, 1)})


def adapt(base: Any, job: BakeJob) -> PeftModel:
    """The student: a fresh adapter, or a copy of the one that it starts from, which stays beside it as the teacher."""
    if job.start_from:
        check_finished(Path(job.start_from))
        model = PeftModel.from_pretrained(base, job.start_from, is_trainable=True)
        model.load_adapter(job.start_from, TEACHER)
        model.set_adapter("default")
    else:
        model = get_peft_model(base, build_lora(job))
    if torch.cuda.is_available():
        base.gradient_checkpointing_enable({"use_reentrant": False})
    return model


@contextmanager
def as_teacher(model: PeftModel) -> Generator[None]:
    """Without the adapter that is trained."""
    if TEACHER not in model.peft_config:
        with model.disable_adapter():
            yield
        return
    model.set_adapter(TEACHER)
    try:
        yield
    finally:
        model.set_adapter("default")


def read_question(tokenizer: Any, row: Mapping[str, Any]) -> Question:
    """A row in token ids, both ways."""
    long, short = (
        tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=True, return_dict=True)
        for messages in (row["prompt"], shorten_prompt(row["prompt"]))
    )
    ids = [list(one["input_ids"]) for one in (long, short)]
    return Question(row["sha256"], row["language"], row["prompt"], *ids)


def teach(model: PeftModel, tokenizer: Any, questions: Sequence[Question], job: BakeJob, emit: Emit) -> None:
    """Fill in the teacher's answers, the likeliest first."""
    heats = [0.0, *[DRAWN_TEMPERATURE] * (job.answers - 1)]
    done = 0
    with as_teacher(model):
        for batch in batch_prompts(questions):
            for heat in heats:
                answers = answer(model, tokenizer, [one.long for one in batch], job, heat=heat)
                for question, ids in zip(batch, answers, strict=True):
                    question.answers.append(ids)
            done += len(batch)
            emit({"event": "taught", "question": done, "questions": len(questions)})


def answer(
    model: PeftModel, tokenizer: Any, prompts: Sequence[Sequence[int]], job: BakeJob, *, heat: float = 0.0
) -> list[list[int]]:
    """Token ids of one answer each without its end, as the adapter that is on gives them.

    Args:
        heat: temperature; 0 takes the likeliest tokens, others draw from torch's generator.
    """
    model.eval()
    end, device = tokenizer.eos_token_id, model.device
    length = max(map(len, prompts))
    # Padded on the left, so that all answers begin at one place.
    ids = torch.tensor([[end] * (length - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (length - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    drawn = {"do_sample": True, "temperature": heat, "top_k": 0, "top_p": 1.0}
    options: dict[str, Any] = drawn if heat else {"do_sample": False, "temperature": None, "top_k": None, "top_p": None}
    base = find_causal_lm(model)
    with torch.inference_mode(), autocast(base):
        made = base.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=job.answer_tokens,
            eos_token_id=end,
            pad_token_id=end,
            # What a model asks for by itself, such as a penalty, is not what is served.
            repetition_penalty=1.0,
            **options,
        )
    return [row[: row.index(end)] if end in row else row for row in made[:, length:].tolist()]


def batch_prompts(questions: Sequence[Question]) -> list[list[Question]]:
    """Questions of like length together, as many at a time as are answered together."""
    ordered = sorted(questions, key=lambda question: len(question.long))
    return [ordered[at : at + AT_ONCE] for at in range(0, len(ordered), AT_ONCE)]


def distil(
    model: PeftModel, questions: Sequence[Question], job: BakeJob, emit: Emit, *, deadline: float
) -> dict[str, Any]:
    """Train the student until the passes or the time are over; steps and curve for the manifest.

    Args:
        deadline: by the monotonic clock.
    """
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learnt, lr=job.learning_rate, weight_decay=0.0)
    order = random.Random(job.seed)
    batches = [batch for _ in range(job.epochs) for batch in _shuffle(questions, job.batch_questions, order)]
    curve: list[dict[str, Any]] = []
    began = time.monotonic()
    for step, batch in enumerate(batches, start=1):
        for group in optimiser.param_groups:
            group["lr"] = job.learning_rate * find_rate((step - 1) / len(batches))
        loss = _take_step(model, batch, optimiser, learnt)
        curve.append({"step": step, "loss": round(loss, 4)})
        eta = (time.monotonic() - began) / step * (len(batches) - step)
        emit({"event": "step", "steps": len(batches), "eta_seconds": round(eta, 1), **curve[-1]})
        if time.monotonic() >= deadline:
            break
    steps = len(curve)
    return {"steps": steps, "planned_steps": len(batches), "stopped_early": steps < len(batches), "curve": curve}


def find_rate(spent: float) -> float:
    """Learning rate as a share of its peak: a linear rise, then half a cosine; `spent` runs from 0 to 1."""
    if spent < WARMUP_SHARE:
        return max(0.1, spent / WARMUP_SHARE)
    return 0.5 * (1 + math.cos(math.pi * (spent - WARMUP_SHARE) / (1 - WARMUP_SHARE)))


def measure_kl(model: PeftModel, question: Question) -> Tensor:
    """KL divergence of teacher and student in nats at each token of the teacher's answers, float32 [a]."""
    with torch.no_grad(), as_teacher(model):
        wanted = answer_log_probs(model, question.long, question.answers)
    given = answer_log_probs(model, question.short, question.answers)
    return functional.kl_div(given, wanted, log_target=True, reduction="none").sum(dim=-1)


def answer_log_probs(model: PeftModel, prompt: Sequence[int], answers: Sequence[Sequence[int]]) -> Tensor:
    """Log-probabilities of the whole vocabulary where each answer token is chosen, float32 [a, v], answer by answer.

    The answers' end tokens are counted among them.
    """
    base = find_causal_lm(model)
    end = base.config.get_text_config().eos_token_id
    end = end[0] if isinstance(end, list) else end
    chats = [Chat((*prompt, *ids, end), len(prompt)) for ids in answers]
    with autocast(base):
        if find_obstacles(base):
            logits = torch.cat([_read_alone(base, chat) for chat in chats])
        else:
            logits = base.get_output_embeddings()(answer_states(base, build_tree(chats)))
    return logits.float().log_softmax(dim=-1)


def read_student(model: PeftModel, tokenizer: Any, held_out: Sequence[Question], job: BakeJob) -> Reading:
    """The student as it is now."""
    model.eval()
    with torch.no_grad():
        measured = torch.cat([measure_kl(model, question).cpu() for question in held_out])
    said: dict[str, list[int]] = {}
    for batch in batch_prompts(held_out):
        answers = answer(model, tokenizer, [question.short for question in batch], job)
        said |= {question.sha256: ids for question, ids in zip(batch, answers, strict=True)}
    return _read(tokenizer, held_out, [said[question.sha256] for question in held_out], kl=float(measured.mean()))


def read_teacher(tokenizer: Any, held_out: Sequence[Question]) -> Reading:
    """The teacher's own likeliest answers, to which the student's are held."""
    return _read(tokenizer, held_out, [question.answers[0] for question in held_out], kl=0.0)


def compare(teacher: Reading, before: Reading, after: Reading, held_out: Sequence[Question]) -> dict[str, Any]:
    """What baking brought, for manifest, gate and benchmark."""
    saved = [len(question.long) - len(question.short) for question in held_out]
    same = [one == other for one, other in zip(teacher.texts, after.texts, strict=True)]
    return {
        "kl_before": before.kl,
        "kl_after": after.kl,
        "kl_reduction": 1 - after.kl / before.kl if before.kl else 0.0,
        "style": {"teacher": teacher.style, "before": before.style, "after": after.style},
        "grounded": {"teacher": teacher.grounded, "before": before.grounded, "after": after.grounded},
        "same_answers": sum(same) / len(same),
        "tokens_saved": sum(saved) / len(saved),
    }


def list_pairs(held_out: Sequence[Question], teacher: Reading, before: Reading) -> list[dict[str, Any]]:
    """The teacher's answers against what the student said before, in the student's prompt: for the served proof."""
    pairs: list[dict[str, Any]] = []
    for at, question in enumerate(held_out):
        chosen, rejected = teacher.texts[at], before.texts[at]
        if chosen == rejected:
            rejected = teacher.texts[at - 1]
        if chosen and rejected and chosen != rejected:
            sides = {"chosen": chosen, "rejected": rejected}
            answers = {name: [{"role": "assistant", "content": text}] for name, text in sides.items()}
            pairs.append(
                {"prompt": shorten_prompt(question.messages), "sha256": question.sha256, "language": question.language}
                | answers
            )
    return pairs


def _read(tokenizer: Any, held_out: Sequence[Question], ids: Sequence[Sequence[int]], *, kl: float) -> Reading:
    texts = [tokenizer.decode(one, skip_special_tokens=True).strip() for one in ids]
    both = list(zip(held_out, texts, strict=True))
    styles = [keeps_style(text, one.language, passages=count_passages(one.messages)) for one, text in both]
    grounded = [grade(text, Asked(one.messages, "", one.language)).grounded for one, text in both]
    return Reading(kl, sum(styles) / len(styles), sum(grounded) / len(grounded), texts)


def _shuffle(questions: Sequence[Question], size: int, order: random.Random) -> list[list[Question]]:
    mixed = order.sample(questions, len(questions))
    return [mixed[at : at + size] for at in range(0, len(mixed), size)]


def _take_step(model: PeftModel, batch: Sequence[Question], optimiser: Any, learnt: Sequence[Tensor]) -> float:
    """One optimiser step; the mean KL of its tokens."""
    model.train()
    tokens = sum(len(ids) + 1 for question in batch for ids in question.answers)
    total = 0.0
    for question in batch:
        loss = measure_kl(model, question).sum() / tokens
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(learnt, CLIP_NORM)
    optimiser.step()
    optimiser.zero_grad()
    return total


def _read_alone(base: Any, chat: Chat) -> Tensor:
    ids = torch.tensor([chat.tokens], device=base.device)
    kept = len(chat.tokens) - chat.answer_start + 1
    return base(input_ids=ids, use_cache=False, logits_to_keep=kept).logits[0][:-1]


if __name__ == "__main__":
    sys.exit(child_process.run(Path(sys.argv[1]), work))
