"""The model card of the starter adapter: what it was made from, how, and how well it answers, before and after."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from learning.starter_evaluate import RULES
from learning.supervised import PROJECTIONS

LICENCES = {
    "squad": "SQuAD v1.1, Rajpurkar et al. 2016 (arXiv:1606.05250), CC BY-SA 4.0",
    "kobest": "KoBEST, Jang et al. 2022 (arXiv:2204.04541), CC BY-SA 4.0",
    "18f": "18F / TTS handbook, CC0 (US public domain)",
}
_UNNAMED = "licence not known to this program; name it here before you publish the adapter"
_NAMES = {
    "answer_in_output": "answer in output",
    "citation": "citation right",
    "refusal": "refusal right",
    "false_refusal": "false refusals (fewer is better)",
    "same_language": "in the language of the question",
}


def find_licence(source: str) -> str:
    """Licence line of a data folder by its name; a plea to name it where the folder is not one of ours."""
    return next((text for key, text in LICENCES.items() if key in source.casefold()), _UNNAMED)


def machine_words(gpu: str | None) -> str:
    """The GPU, else the processor, in words (no host name), for a card that says where its seconds were measured."""
    if gpu:
        return gpu
    path = Path("/proc/cpuinfo")
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


def build_metrics(
    training: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], held_out: Sequence[str]
) -> dict[str, Any]:
    """What `metrics.json` holds. `before` and `after` are counts by language and rule."""
    return {
        "training": dict(training),
        "held_out": list(held_out),
        "rules": RULES,
        "before": dict(before),
        "after": dict(after),
    }


def render_card(metrics: Mapping[str, Any]) -> str:
    """README.md in the form that model hubs read: front matter, then figures, making, data and limits."""
    training = metrics["training"]
    return "\n".join(
        [
            "---",
            "library_name: peft",
            "base_model: HuggingFaceTB/SmolLM2-135M-Instruct",
            "license: cc-by-sa-4.0",
            "language: [en, ko]",
            "tags: [lora, retrieval-augmented-generation, citations]",
            "---",
            "",
            "# Nightbake starter adapter",
            "",
            "A LoRA adapter that teaches the embedded default model to answer a question from numbered passages: one "
            "or two sentences, copied closely, in the language of the question, ending with the number of the "
            "passage, or an agreed refusal where the passages do not say. Every later adapter starts from it, merged.",
            "",
            "## Figures",
            "",
            "Greedy answers to questions whose articles, texts and families of rules were never trained on.",
            "",
            *_figures(metrics),
            "",
            *(f"- **{_NAMES[rule]}**: {text}." for rule, text in metrics["rules"].items()),
            "",
            f"Held out: {'; '.join(metrics['held_out'])}.",
            "",
            "## Making",
            "",
            *_making(training),
            "",
            "## Data",
            "",
            *(f"- {source['words']}: {source['questions']} questions to draw from" for source in training["sources"]),
            "",
            "The adapter is shared under CC BY-SA 4.0 because part of its training text is. The base model, "
            "SmolLM2-135M-Instruct (Allal et al. 2025, arXiv:2502.02737), is under Apache-2.0.",
            "",
            "## Limits",
            "",
            "- 135 M parameters: it finds and copies; it does not add up, compare, or answer across passages.",
            "- Its base knows almost no Korean: Korean answers are copies or short patterns, at two tokens a syllable, "
            "so allow at least 128 tokens for an answer.",
            "- A yes-or-no question is answered with the sentence that decides it, not with yes or no.",
            "- It often answers what the passages do not say, in Korean above all, and in Korean it may copy a "
            "neighbouring row: check every answer against its passages and its question, as the bot does.",
            "",
        ]
    )


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    rows = ["| | English before | English after | Korean before | Korean after |", "|---|---|---|---|---|"]
    for rule, name in _NAMES.items():
        cells = [_share(metrics[when][language][rule]) for language in ("en", "ko") for when in ("before", "after")]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def _share(count: Mapping[str, int]) -> str:
    if not count["of"]:
        return "none asked"
    return f"{count['right']}/{count['of']} ({count['right'] / count['of']:.0%})"


def _making(training: Mapping[str, Any]) -> list[str]:
    return [
        f"- LoRA rank {training['rank']}, alpha {training['alpha']}, on {', '.join(PROJECTIONS)}; saved in bfloat16",
        f"- AdamW, peak learning rate {training['learning_rate']:g}, warm-up then cosine to zero over the time budget, "
        f"groups a step: {training['groups_per_step']}, gradient norm clipped at {training['clip_norm']:g}",
        f"- seed {training['seed']}; {training['steps']} steps; {training['examples']} questions seen; "
        f"{training['seconds']:.0f} s of training on {training['machine']} ({training['threads']} thread(s), "
        f"{training['dtype']})",
        *([f"- continued from an earlier adapter: {training['started_from']}"] if training["started_from"] else []),
        f"- prefix-shared training: {training['packed_tokens']} tokens were computed in place of "
        f"{training['plain_tokens']} ({training['plain_tokens'] / training['packed_tokens']:.1f} times fewer); "
        f"{training['examples'] / training['seconds']:.2f} questions a second",
        "- the loss weighs the first three answer tokens twice and the citation number three times",
    ]
