"""What `nightbake exercises` shows: progress, yields per check, one exercise, figures and costs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from cli.output import console, escape, notes
from cli.progress import ProgressLines
from learning.exercises.corpus import Corpus
from learning.exercises.four_choice import show_options
from learning.exercises.ledger import Agreement, Bill
from learning.exercises.make import Tried
from learning.exercises.store import Exercise, Yield

WHY = {
    "form": "not in the form that was asked for",
    "language": "in another language",
    "private": "holds personal data or a secret",
    "leaks": "the question holds the answer",
    "unsupported": "its clue does not carry the answer",
    "two_right": "more than one option is right",
    "distractor_true": "a wrong option stands where the right one does",
    "guessable_length": "the right option is told by its length",
    "few_negatives": "fewer than two related passages without the answer",
    "negative_answers": "a hard negative holds the answer",
    "duplicate": "nearly the same as another",
    "exam": "nearly the same as what is kept apart for the exam",
    "closed_book": "the model knows it without the clue",
    "not_answerable": "the model does not answer it with the clue",
    "no_gain": "the evolved question asks no more than the first",
    "no_content": "the evolved question says nothing",
    "copied_prompt": "the evolved question copies words of the prompt",
}
USES = {
    "retrieval": "retrieval and examples in the prompt, which do more here than a training",
    "exercises": "exercises and a small adapter; far from what continued pretraining needs",
    "pretraining": "continued pretraining too",
}


class MakeProgress:
    """A bar while drafts are tried, or lines where there is no terminal."""

    def __init__(self, count: int, *, quiet: bool) -> None:
        columns = (TextColumn("  making exercises"), BarColumn(), TextColumn("{task.fields[told]}"))
        is_hidden = quiet or not notes.is_terminal
        self._progress = Progress(*columns, console=notes, transient=True, disable=is_hidden)
        self._task = self._progress.add_task("", total=count, told="")
        self._lines = ProgressLines(quiet=quiet)
        self._count = count
        self.accepted = 0

    def __enter__(self) -> "MakeProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, tried: Tried) -> None:
        """Follow one try."""
        self.accepted = tried.accepted
        told = f"{tried.accepted}/{self._count} of {tried.tries} tries"
        self._progress.update(self._task, completed=tried.accepted, told=told)
        self._lines.tell("making exercises", tried.accepted, self._count)


def sum_up(yields: Sequence[Yield]) -> dict[str, Any]:
    """Tries, items and faults: in all, by kind and by origin."""
    kinds, origins = sorted({one.kind for one in yields}), sorted({one.origin for one in yields})
    return {
        **_count(yields),
        "kinds": {name: _count([one for one in yields if one.kind == name]) for name in kinds},
        "origins": {name: _count([one for one in yields if one.origin == name]) for name in origins},
    }


def _count(yields: Sequence[Yield]) -> dict[str, Any]:
    faults = Counter[str]()
    for one in yields:
        faults[one.reason or ""] += one.drafts
    items = faults.pop("", 0)
    return {"tries": items + faults.total(), "items": items, "dropped": dict(faults.most_common())}


def print_yields(told: dict[str, Any]) -> None:
    """How many passed, by kind, and why the others did not."""
    console.print(f"{told['items']} exercises of {told['tries']} drafts")
    table = Table("kind", "passed", "drafts", box=None, header_style="dim")
    for kind, counts in told["kinds"].items():
        table.add_row(kind.replace("_", " "), str(counts["items"]), str(counts["tries"]))
    if told["kinds"]:
        console.print(table)
    if told["dropped"]:
        dropped = Table("left out because", "", box=None, header_style="dim")
        for reason, count in told["dropped"].items():
            dropped.add_row(WHY.get(reason, reason), str(count))
        console.print(dropped)


def print_exercise(one: Exercise) -> None:
    """One exercise as a whole."""
    made = one.shape if one.origin == "structure" else f"{one.origin} {one.step or ''}".strip()
    console.print(f"[bold]exercise {one.id}[/]  {one.kind}, {one.language}, for {one.purpose}, by {made}, {one.state}")
    options = show_options(one.options) if one.kind == "four_choice" else ""
    parts = [("question", f"{one.question}\n{options}".strip()), ("answer", one.answer), ("clue", one.clue)]
    parts += [(f"without the answer: {negative['title']}", negative["text"]) for negative in one.negatives]
    for title, text in parts:
        console.print(f"[dim]{escape(title)}[/]\n{escape(text)}")
    for document in one.documents:
        console.print(f"  document {document['id']}: {escape(document['title'])}, version {document['version']}")
    for name, is_right in one.probe.items():
        console.print(f"  {name.replace('_', ' ')}: {'right' if is_right else 'wrong'}")


def print_corpus(corpus: Corpus) -> None:
    """What the documents amount to."""
    pages = f"{corpus.pages} pages" + (f" and {corpus.without_pages} without pages" if corpus.without_pages else "")
    about = "about " if corpus.is_estimated else ""
    console.print(f"{corpus.documents} documents, {pages}, {corpus.sections} sections, {corpus.duplicates} twice")
    console.print(f"{corpus.characters:,} characters, {about}{corpus.tokens:,} tokens")
    for language, each in corpus.tokens_per_character.items():
        console.print(f"  {language}: {corpus.languages[language]:,} characters, {each:.3f} tokens a character")
    console.print(f"as much as {corpus.reports:g} reports of 68 pages, {corpus.pretraining_share:.4%} of a pretraining")
    console.print(f"good for {USES[corpus.use]}")


def print_bill(bill: Bill) -> None:
    """What it cost."""
    spent = bill.spent
    tokens = f"{spent.prompt_tokens + spent.completion_tokens:,} tokens in {spent.requests} requests"
    console.print(f"{spent.seconds:.1f} s, {spent.model_seconds:.1f} s of them in the model server, {tokens}")
    console.print(f"{spent.reviews} reviews, {spent.reviewer_seconds / 60:.1f} minutes of reviewers")
    money = [
        f"{name} {amount:.2f} {bill.currency}"
        for name, amount in (("machine", bill.machine), ("reviewers", bill.reviewers), ("each", bill.each))
        if amount is not None
    ]
    if money:
        console.print(", ".join(money))


def print_agreement(agreement: Agreement) -> None:
    """How far two people agree, where two looked."""
    if agreement.same is not None:
        kappa = "" if agreement.kappa is None else f", kappa {agreement.kappa:.2f}"
        console.print(f"two people looked at {agreement.items} and agree on {agreement.same:.0%}{kappa}")


def clip(text: str, longest: int = 60) -> str:
    """One line of a text."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
