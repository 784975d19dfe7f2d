"""Prefix-shared DPO: TRL's trainer with the prompt encoded once for all of its answers, exactly.

TRL 1.16 encodes prompt and answer anew for each side, and on a CPU it projects every prompt position onto the
vocabulary. Here the rows of a batch that share a prompt become one tree (`learning/prefix_tree.py`), and only the
answers' positions meet the LM head. All else is TRL's own code: it asks "the model" for token log-probabilities and
makes any of its losses and metrics of them, so we stand in for the model at that one call.

Source: prefix sharing for DPO, Wang and Hegde 2024, arXiv:2410.20305; they pack with FlexAttention on a GPU.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.nn import functional
from trl.kernels import ChunkedLogProbFunction
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.utils import FusedCausalLMOutput

from learning.kto import KtoLoss
from learning.losses import find_causal_lm
from learning.prefix_tree import Chat, answer_states, build_tree, find_obstacles

FIELDS = ("log_probs", "entropy", "mean_logits", "is_top1")
CHUNK = 32768
"""Vocabulary entries of one tile of the LM head, as in TRL."""
REFERENCE_COLUMNS = ("ref_chosen_logps", "ref_rejected_logps")


VOTE = "vote"
"""Column of rows that are single votes, laid out by `learning/kto.py`; 0 for pairs."""


class PreparedDPOTrainer(DPOTrainer):
    """`DPOTrainer` that takes what the data set holds already, and single votes beside pairs.

    Token ids (`prompt_ids`, `chosen_ids`, `rejected_ids`) are taken as they are, and so are reference
    log-probabilities (`ref_chosen_logps`, `ref_rejected_logps`, in nats). The stock trainer hashes all weights and all
    data to find the latter, and computes all of them anew for one new pair.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if set(REFERENCE_COLUMNS) <= set(self.train_dataset.column_names or ()):  # type: ignore[union-attr]
            self.precompute_ref_logps = True
        self._kto = KtoLoss(self.beta)
        self.data_collator = partial(_collate, self.data_collator)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        if VOTE not in self._signature_columns:  # type: ignore[operator]
            self._signature_columns.append(VOTE)  # type: ignore[union-attr]

    def _compute_loss(self, model: Any, inputs: Any, return_outputs: bool) -> Any:
        vote = inputs.pop(VOTE, None)
        if vote is None or not vote.any():
            return super()._compute_loss(model, inputs, return_outputs)
        return self._compute_kto(model, inputs, vote)

    def _compute_kto(self, model: Any, inputs: Any, vote: Tensor) -> Tensor:
        """KTO's loss of a batch of single votes, with what the curve shows of it beside that of pairs."""
        labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, -100)
        served = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "labels": labels}
        log_probs = model(**served, use_cache=False, fused_lm_head=True).log_probs.sum(dim=1)
        reference = torch.cat([inputs[column] for column in REFERENCE_COLUMNS])
        own, other = (log_probs - reference).chunk(2)
        loss, reward = self._kto.measure(own, other, vote)
        # What TRL counts for pairs; a step's figures are means over its rows.
        metrics = self._metrics["train"]
        self._total_train_tokens += int(inputs["attention_mask"].sum())
        metrics["num_tokens"] = [self._total_train_tokens]
        metrics["rewards/accuracies"].append(float(reward > 0))
        metrics["rewards/margins"].append(reward)
        return loss

    def _prepare_dataset(self, dataset: Any, *args: Any, **options: Any) -> Any:
        if "prompt_ids" in (dataset.column_names or ()):
            return dataset
        return super()._prepare_dataset(dataset, *args, **options)

    def _precompute_ref_logps(self, dataset: Dataset, *args: Any, **options: Any) -> Dataset:
        if set(REFERENCE_COLUMNS) <= set(dataset.column_names):
            return dataset
        return super()._precompute_ref_logps(dataset, *args, **options)

    def _send_telemetry(self) -> None:
        """Nothing: a night tells nobody that it happened."""


class PrefixSharedDPOTrainer(PreparedDPOTrainer):
    """`DPOTrainer` for one process, any of its losses, with or without PEFT.

    Reference log-probabilities taken inside the loss (no `precompute_ref_log_probs`, no columns that hold them) are
    TRL's own, unshared.

    Raises:
        ValueError: the model's attention or logits are of a kind that this is not exact for.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if obstacles := find_obstacles(find_causal_lm(self.model)):
            raise ValueError(f"expected plain causal attention and logits, got {obstacles}; use TRL's DPOTrainer")
        if self.use_weighting or self.aux_loss_enabled:
            raise ValueError("expected neither WPO weighting nor a router loss, got one of them; use TRL's DPOTrainer")

    def compute_ref_log_probs(self, model: Any, inputs: Any) -> Any:
        """TRL's reference pass over one batch, prefix-shared."""
        return super().compute_ref_log_probs(partial(forward_trees, self.accelerator, model), inputs)

    def _compute_loss(self, model: Any, inputs: Any, return_outputs: bool) -> Any:
        return super()._compute_loss(partial(forward_trees, self.accelerator, model), inputs, return_outputs)


def forward_trees(accelerator: Any, model: Any, *, fused_lm_head: bool = False, **inputs: Any) -> Any:
    """What TRL's patched forward returns for a padded batch, computed on trees.

    Axes: r = rows, t = padded tokens, a = distinct answer tokens. `input_ids`, `attention_mask`, `labels` int64 [r, t];
    labels are -100 outside answers. Fields are [r, t - 1].
    """
    if not fused_lm_head:
        return model(**inputs)
    base = find_causal_lm(accelerator.unwrap_model(model))
    chats = read_chats(inputs["input_ids"], inputs["attention_mask"], inputs["labels"])
    groups, slots = group_chats(chats)
    trees = [build_tree(group) for group in groups]
    with accelerator.autocast():
        states = torch.cat([answer_states(base, tree) for tree in trees])
        targets = torch.cat([tree.targets for tree in trees]).to(states.device)
        fields = score_tokens(base, states, targets)
    answers = inputs["labels"][:, 1:] != -100
    order = torch.tensor(order_answers(groups, slots), device=states.device)
    return FusedCausalLMOutput(label_mask=answers, **{name: _spread(fields[name], order, answers) for name in FIELDS})


def _collate(collate: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """TRL's batch, with the rows' votes where they have any."""
    batch = collate(rows)
    return batch | {VOTE: torch.tensor([row[VOTE] for row in rows])} if VOTE in rows[0] else batch


def read_chats(ids: Tensor, attention: Tensor, labels: Tensor) -> list[Chat]:
    """The rows of a batch that is padded on the right, without their padding; every row has an answer."""
    lengths = attention.sum(dim=1).tolist()
    starts = (labels != -100).int().argmax(dim=1).tolist()
    return [Chat(tuple(row[:length]), start) for row, length, start in zip(ids.tolist(), lengths, starts, strict=True)]


def group_chats(chats: Sequence[Chat]) -> tuple[list[list[Chat]], list[tuple[int, int]]]:
    """Chats by prompt, equal ones once; and for each chat its group and its place there."""
    groups: dict[tuple[int, ...], list[Chat]] = {}
    numbers: dict[tuple[int, ...], int] = {}
    slots = []
    for chat in chats:
        prompt = chat.tokens[: chat.answer_start]
        group = groups.setdefault(prompt, [])
        if chat not in group:
            group.append(chat)
        slots.append((numbers.setdefault(prompt, len(numbers)), group.index(chat)))
    return list(groups.values()), slots


def order_answers(groups: Sequence[Sequence[Chat]], slots: Sequence[tuple[int, int]]) -> list[int]:
    """For the answer tokens of all rows, row by row, their places among the answer tokens of all trees."""
    begins: dict[tuple[int, int], range] = {}
    total = 0
    for number, group in enumerate(groups):
        for place, chat in enumerate(group):
            length = len(chat.tokens) - chat.answer_start
            begins[number, place] = range(total, total + length)
            total += length
    return [place for slot in slots for place in begins[slot]]


def score_tokens(base: Any, states: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """TRL's per-token fields for hidden states [a, h] and their targets [a].

    On a GPU by TRL's own kernel, which holds one tile of the vocabulary at a time and computes it again on the way
    back. On a CPU the answers' few rows are kept: two products instead of three, 0.2 MB a row at 49,152 entries.
    """
    head = base.get_output_embeddings()
    # A model over several GPUs has its head on the last.
    states, targets = states.to(head.weight.device), targets.to(head.weight.device)
    if states.is_cuda:
        log_probs, entropy, _, mean_logits, is_top1 = ChunkedLogProbFunction.apply(
            states, head.weight, head.bias, targets, 1.0, CHUNK, None, 1.0, FIELDS
        )
        return {"log_probs": log_probs, "entropy": entropy, "mean_logits": mean_logits, "is_top1": is_top1}
    logits = head(states).float()
    log_probs = -functional.cross_entropy(logits, targets, reduction="none")
    with torch.no_grad():
        all_log_probs = logits.log_softmax(dim=-1)
        entropy = -(all_log_probs.exp() * all_log_probs).sum(dim=-1)
        is_top1 = logits.argmax(dim=-1) == targets
        return {"log_probs": log_probs, "entropy": entropy, "mean_logits": logits.mean(dim=-1), "is_top1": is_top1}


def _spread(values: Tensor, order: Tensor, answers: Tensor) -> Tensor:
    return values.new_zeros(answers.shape).masked_scatter(answers, values[order])
