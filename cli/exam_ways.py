"""Which ways an exam compares: what each needs, and why one is left out."""

from collections.abc import Mapping, Sequence

from bot.examples import load_examples
from cli.exam_asking import Passages
from cli.house import House
from core.adapters import Adapter
from core.errors import InvalidInputError
from core.forgetting import BASE
from core.prompt import Language, PromptExample, detect_language
from learning.exams.comparison import WAYS, Way
from learning.exams.pinned import PinnedItem
from learning.exams.results import LANGUAGES
from learning.exams.sitting import Help, Item
from learning.exercises.store import Exercise, Exercises
from retrieval.access import EVERYONE

TRAINED: tuple[Way, ...] = ("sft", "sft_dpo")
# What their manifests say; nights say nothing, and learn preferences.
MANIFESTS: Mapping[Way, tuple[str | None, ...]] = {"sft": ("sft",), "sft_dpo": (None, "dpo", "sft_dpo")}
EXAMPLES = 3
"""Shown before a question, of its language."""
_MANY = 400


async def choose_ways(
    house: House, wanted: Sequence[Way], adapters: Mapping[Way, str]
) -> tuple[list[Help], dict[Way, str]]:
    """The ways that can be held, base first, and why others are left out.

    Side effects: an adapter that the model server does not have is loaded into it.

    Raises:
        InvalidInputError, NotFoundError, ModelServerError: a named adapter cannot be asked.
    """
    passages = Passages(house)
    helps: list[Help] = []
    skipped: dict[Way, str] = {}
    chosen: list[Way] = [way for way in WAYS if way in wanted]
    for way in chosen:
        if way == "base":
            helps.append(Help(way))
        elif way == "few_shot":
            if examples := await find_item_examples(house):
                helps.append(Help(way, examples=examples))
            else:
                skipped[way] = "no four-choice exercise to show; `exercises make --kind four_choice` makes some"
        elif way == "rag":
            helps.append(Help(way, find_passages=passages.find))
        elif name := adapters.get(way) or find_trained(await house.adapters.find_all(), way):
            await house.serving.restore(name)
            helps.append(Help(way, adapter=name, find_passages=passages.find))
        else:
            skipped[way] = f"no adapter was trained this way; name one by --adapter {way}=NAME"
    return helps, skipped


def read_adapters(names: Sequence[str], wanted: Sequence[Way]) -> dict[Way, str]:
    """Adapters by way, of `--adapter NAME` or `--adapter WAY=NAME`; a bare name is of the last trained way wanted.

    Raises:
        InvalidInputError: a way is named that has no adapter, or an adapter for a way that is not wanted.
    """
    found: dict[Way, str] = {}
    trained: list[Way] = [way for way in TRAINED if way in wanted]
    for name in names:
        before, mark, after = name.partition("=")
        fitting: list[Way] = [one for one in trained if not mark or one == before]
        way = fitting[-1] if fitting else None
        if way is None or (after or before) == BASE:
            raise InvalidInputError(f"expected NAME, or WAY=NAME with sft or sft_dpo among the ways, got {name!r}")
        found[way] = after if mark else before
    return found


def find_trained(adapters: Sequence[Adapter], way: Way) -> str | None:
    """The newest adapter of a way that was not refused and has its weights."""
    for one in adapters:
        if one.deleted_at is None and one.state != "rejected" and one.manifest.get("trained") in MANIFESTS[way]:
            return one.name
    return None


async def find_item_examples(house: House) -> dict[Language, list[Item]]:
    """Exercises for training, which the exam's guard kept apart from it, that everyone may read."""
    found = await open_exercises(house).find(kind="four_choice", purpose="training", principals=[EVERYONE], limit=_MANY)
    kept = [one for one in found if one.state in ("accepted", "unseen", "waits")]
    kept.sort(key=lambda one: (one.state != "accepted", one.id))
    chosen: dict[Language, list[Item]] = {
        language: [_to_example(one) for one in kept if one.language == language] for language in LANGUAGES
    }
    return {language: chosen[language][:EXAMPLES] for language in LANGUAGES if chosen[language]}


async def find_open_examples(house: House) -> dict[Language, list[PromptExample]]:
    """Questions with answers: the company's own of EXAMPLES_FILE, else definitions made for training."""
    if file := house.settings.examples_file:
        found = load_examples(file)
    else:
        made = await open_exercises(house).find(
            kind="definition", purpose="training", principals=[EVERYONE], limit=_MANY
        )
        kept = [one for one in made if one.state in ("accepted", "unseen", "waits")]
        kept.sort(key=lambda one: (one.state != "accepted", one.id))
        found = [PromptExample(one.question, one.answer) for one in kept]
    by_language: dict[Language, list[PromptExample]] = {
        language: [one for one in found if detect_language(one.question) == language] for language in LANGUAGES
    }
    return {language: by_language[language][:EXAMPLES] for language in LANGUAGES if by_language[language]}


def to_item(pinned: PinnedItem) -> Item:
    """As it is asked: as a reader of its documents."""
    readers = [document["allow"][0] for document in pinned.documents if document["allow"]]
    principals = tuple(dict.fromkeys([EVERYONE, *readers]))
    return Item(
        pinned.sha256,
        pinned.language,
        pinned.question,
        tuple(pinned.options),
        pinned.right_option,
        pinned.group,
        principals,
    )


def open_exercises(house: House) -> Exercises:
    """The exercises, judged as the settings say."""
    settings = house.settings
    return Exercises(house.database, share=settings.exercise_review_share, reviewers=settings.exercise_reviewers)


def _to_example(one: Exercise) -> Item:
    right = one.right_option or 0
    options = tuple(one.answer if at == right else option for at, option in enumerate(one.options))
    return Item(str(one.id), "ko" if one.language == "ko" else "en", one.question, options, right)
