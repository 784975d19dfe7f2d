"""What a night is given and what it brings."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from core.settings import Settings, read_weights
from learning.break_even import Figures
from learning.job import Job
from learning.plan import AFTER_SECONDS
from learning.room import RoomSettings
from learning.runs import State


@dataclass(frozen=True, slots=True)
class NightSettings:
    """The values of one night.

    Attributes:
        base_model: folder or hub name of the model that is trained; the server must serve the same.
        promote: `auto` switches after a passed gate, `approve` leaves it to an admin.
        answers: held-out prompts that are answered again through the server, at most; disliked, last week's disliked
            ones; golden, golden questions.
        evaluate_seconds: after this nothing more is asked of the server.
        judge: `rules`, or `model` for the base model where rules see no difference.
        groundedness_margin: the loss, as a share of claims, that must be ruled out.
        loss: one of `learning.train.LOSSES`; sft_weight, of the chosen answer's own likelihood beside it.
        context_tokens: prompt and answer together, as the model server takes them at most.
        max_memory: MiB of main memory for the training; None for what is free when it begins, less a reserve.
        rater_weights: of people and groups; see `CollectSettings`.
        review_share: of new pairs, those that wait for a person.
        regenerate: answers that are sampled for each disliked one; 0 samples none.
        trial_share: of the conversations, for a promoted adapter at first; 0 serves it to everybody at once.
        goes_on: whether training goes on from what is served, where that may be; see `continuing.py`.
        keep_adapters: how many of the newest keep their folders.
        figures: what answers cost and save, for the report.
    """

    base_model: str
    window_days: int = 90
    min_pairs: int = 6
    max_pairs: int = 2000
    min_held_out: int = 20
    rank: int = 16
    bits: int = 16
    beta: float = 0.1
    learning_rate: float = 1e-4
    epochs: int = 2
    max_train_seconds: float = 14400
    seed: int = 0
    promote: Literal["auto", "approve"] = "auto"
    loss: str = "ipo"
    sft_weight: float = 0.25
    answers: int = 32
    disliked: int = 8
    golden: int = 12
    evaluate_seconds: float = 120
    judge: Literal["rules", "model"] = "rules"
    groundedness_margin: float = 0.15
    answer_tokens: int = 128
    context_tokens: int = 4096
    threads: int | None = None
    max_memory: int | None = None
    rater_weights: Mapping[str, float] = field(default_factory=dict[str, float])
    review_share: float = 0.0
    regenerate: int = 4
    trial_share: float = 0.0
    goes_on: bool = False
    keep_adapters: int = 30
    room: RoomSettings = field(default_factory=RoomSettings)
    figures: Figures = field(default_factory=Figures)


class Stopped(Exception):  # noqa: N818  not an error: a night may end early
    """A night that ends before its last stage, with a reason for the report."""


@dataclass(frozen=True, slots=True)
class NightResult:
    """What a night brought; `run_id` finds its report, `adapter` is None where nothing was trained."""

    run_id: int
    night: date
    state: State
    reason: str | None
    votes: int
    pairs: int
    trained: int
    held_out: int
    verdict: str | None
    adapter: str | None
    switched: bool
    seconds: float


def read_night_settings(settings: Settings, *, base_model: str) -> NightSettings:
    """This room's section of the settings."""
    return NightSettings(
        base_model=base_model,
        window_days=settings.night_window_days,
        min_pairs=settings.night_min_pairs,
        max_pairs=settings.night_max_pairs,
        min_held_out=settings.night_min_held_out,
        rank=settings.night_lora_rank,
        bits=4 if settings.night_four_bits else 16,
        beta=settings.night_beta,
        learning_rate=settings.night_learning_rate,
        epochs=settings.night_epochs,
        max_train_seconds=settings.night_max_train_seconds,
        seed=settings.night_seed,
        promote="approve" if settings.night_promote == "approve" else "auto",
        loss=settings.night_loss,
        answers=settings.night_answers,
        evaluate_seconds=settings.night_evaluate_seconds,
        judge="model" if settings.night_judge == "model" else "rules",
        groundedness_margin=settings.night_groundedness_margin,
        answer_tokens=settings.model_answer_tokens,
        context_tokens=settings.model_context_tokens,
        max_memory=settings.night_max_memory,
        rater_weights=read_weights(settings.night_rater_weights or ""),
        review_share=settings.night_review_share,
        regenerate=settings.night_regenerate,
        trial_share=settings.night_trial_share,
        goes_on=settings.night_goes_on,
        keep_adapters=settings.night_keep_adapters,
        room=RoomSettings(
            wish=settings.night_gpu,
            need=settings.night_gpu_gib,
            done_by=settings.night_done_by,
            time_zone=settings.night_time_zone,
            stop_command=settings.model_stop_command,
            start_command=settings.model_start_command,
            after_seconds=AFTER_SECONDS + settings.night_evaluate_seconds,
        ),
        figures=read_figures(settings),
    )


def read_figures(settings: Settings) -> Figures:
    """What answers and nights cost and save the company."""
    return Figures(
        currency=settings.currency,
        saved=settings.saved_per_right_answer,
        human_answer=settings.human_answer_cost,
        lost_trust=settings.lost_trust_cost,
        lost_trust_chance=settings.lost_trust_chance,
        hour=settings.night_hour_cost,
        watts=settings.night_watts,
    )


def build_job(
    settings: NightSettings,
    *,
    live_adapter: str | None,
    start_from: str | None = None,
    max_seconds: float,
    reference_cache: Path,
) -> dict[str, Any]:
    """A night's job as JSON takes it."""
    figures = settings.figures
    job = Job(
        base_model=settings.base_model,
        live_adapter=live_adapter,
        start_from=start_from,
        rank=settings.rank,
        bits=settings.bits,
        alpha=2 * settings.rank,
        beta=settings.beta,
        loss=settings.loss,
        sft_weight=settings.sft_weight,
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        seed=settings.seed,
        max_seconds=max_seconds,
        threads=settings.threads or len(os.sched_getaffinity(0)),
        reference_cache=str(reference_cache),
        prices={"currency": figures.currency, "hour": figures.hour, "watts": figures.watts},
    )
    return asdict(job)
