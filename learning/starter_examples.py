"""Open reading sets as groups of questions that share one list of passages.

A group is what prefix-shared training wants: the passages are paid for once and every question about them is one
branch. Questions whose answer was cut out of the shown passages become refusals, so the refusals are as hard as
the answers. All of it is pure and seeded; nothing here touches a model.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.prompt import REFUSALS, Language, PromptPassage, detect_language
from learning.starter_readings import Judge, Reading

_PASSAGE_CHARACTERS: dict[Language, tuple[int, int]] = {"en": (130, 620), "ko": (45, 130)}
_PREFIX_CHARACTERS: dict[Language, int] = {"en": 1500, "ko": 240}
REFUSAL_SHARE = 0.14


@dataclass(frozen=True, slots=True)
class Branch:
    """One question over the passages of its group, with the answer the model should learn.

    `gold` are the strings of which one must stand in a right answer, `passage` is the number to cite (None for a
    refusal), and `judge` says how `gold` is compared: by containment, or by overlap where no short answer exists.
    """

    question: str
    answer: str
    language: Language
    gold: tuple[str, ...]
    passage: int | None
    judge: Judge


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that share one list of passages, in the order in which they are numbered."""

    source: str
    passages: tuple[PromptPassage, ...]
    branches: tuple[Branch, ...]


<<<<<<< HEAD
@dataclass(frozen=True, slots=True)
class Item:
    """One question of a reading set with the sentence that supports its answer."""

    question: str
    sentence: str
    gold: tuple[str, ...]
    judge: Judge


@dataclass(frozen=True, slots=True)
class Reading:
    """One text of a reading set; `part` is what is split by: all texts of a part train, or none."""

    part: str
    title: str
    heading_path: str
    sentences: tuple[str, ...]
    items: tuple[Item, ...]
    language: Language


def read_set(folder: Path) -> list[Reading]:
    """Read `corpus.jsonl` and `queries.jsonl` of one folder.

    Three forms are told apart by their answers: short answers (SQuAD), TRUE and FALSE (BoolQ), none (headings).

    Raises:
        DataSetError: a file is missing or a line lacks a field.
    """
    corpus, queries = (_read_lines(folder / name) for name in ("corpus.jsonl", "queries.jsonl"))
    asked: dict[str, list[dict]] = defaultdict(list)
    for query in queries:
        for identifier in query["relevant_ids"]:
            asked[identifier].append(query)
    readings = [_read_text(text, asked[text["id"]]) for text in corpus]
    return [reading for reading in readings if reading.sentences]


def split_readings(
    readings: Sequence[Reading], held_out_share: float, seed: int
) -> tuple[list[Reading], list[Reading]]:
    """Split by part (article, page or text), so that no text of a held-out part is ever trained on."""
    parts = sorted({reading.part for reading in readings})
    random.Random(seed).shuffle(parts)
    held_out = set(parts[: max(1, round(len(parts) * held_out_share))])
    train = [reading for reading in readings if reading.part not in held_out]
    return train, [reading for reading in readings if reading.part in held_out]


=======
>>>>>>> starter
def build_groups(
    readings: Sequence[Reading], source: str, seed: int, *, branches: int = 10, refusal_share: float = REFUSAL_SHARE
) -> Iterator[Group]:
    """Groups without end, in a new order and with other cuts on every pass.

    Args:
        branches: the most answerable questions one group holds.
        refusal_share: share of questions, on average, that the shown passages do not answer.
    """
    rng = random.Random(seed)
    parts: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        parts[reading.part].append(reading)
    asked = [reading for reading in readings if reading.items]
    if not asked:
        return
    while True:
        rng.shuffle(asked)
        for reading in asked:
            group = _build_group(reading, parts[reading.part], asked, source, branches, refusal_share, rng)
            if group.branches:
                yield group


def refusal(question: str) -> Branch:
    """The branch for a question that the shown passages do not answer."""
    language = detect_language(question)
    return Branch(question, REFUSALS[language], language, (), None, "contains")


<<<<<<< HEAD
def split_sentences(text: str) -> list[str]:
    """Sentences of English or Korean prose, white space folded; lines of lists stay with their sentence."""
    sentences: list[str] = []
    for piece in _SENTENCE_END.split(text):
        piece = " ".join(piece.split()) if piece else ""
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] = f"{sentences[-1]} {piece}"
        elif piece:
            sentences.append(piece)
    return sentences


def find_supporting(question: str, sentences: Sequence[str]) -> tuple[int, float]:
    """The sentence that shares most content with the question. Returns its place and the share covered, 0 to 1."""
    wanted = content(question)
    covered = [len(wanted & content(sentence)) / max(1, len(wanted)) for sentence in sentences]
    best = max(range(len(sentences)), key=covered.__getitem__)
    return best, covered[best]


def content(text: str) -> set[str]:
    """Content words of English; pairs of neighbouring syllables of Korean, whose words change their endings."""
    words = _WORD.findall(text.lower())
    pairs = {first + second for first, second in zip(words, words[1:], strict=False) if not (first + second).isascii()}
    return pairs | {word for word in words if word.isascii() and word not in _COMMON}


def as_question(statement: str) -> str:
    """A Korean statement in -다 as a question; anything else is returned as it is."""
    text = statement.strip()
    if not text.endswith("다."):
        return text
    stem = text[:-2]
    if stem.endswith("이"):
        return stem[:-1] + "인가요?"
    final = (ord(stem[-1]) - 0xAC00) % 28 if "가" <= stem[-1] <= "힣" else 0
    if stem.endswith("는"):
        return stem[:-1] + "나요?"
    if final == 4:
        return stem[:-1] + chr(ord(stem[-1]) - 4) + "나요?"
    if final == 20 or stem[-1] in "있없":
        return stem + "나요?"
    return text[:-1] + ", 맞나요?"


def _read_lines(path: Path) -> list[dict]:
    if not path.is_file():
        raise DataSetError(
            f"expected the file {str(path)!r}, got none; --data takes a folder with corpus.jsonl and queries.jsonl"
        )
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise DataSetError(f"expected one JSON object a line in {str(path)!r}, got {error}; mend that line") from None


def _read_text(text: dict, queries: Sequence[dict]) -> Reading:
    sentences = tuple(split_sentences(text["text"]))
    items = [_read_item(query, sentences) for query in queries] if sentences else []
    heading = next((query["text"] for query in queries if not query.get("answers")), "")
    return Reading(
        part=text["title"] or text["id"],
        title=text["title"],
        heading_path=heading,
        sentences=sentences,
        items=tuple(item for item in items if item),
        language=detect_language(text["text"]),
    )


def _read_item(query: dict, sentences: Sequence[str]) -> Item | None:
    answers = tuple(query.get("answers") or ())
    if not answers:
        return _heading_item(query["text"], sentences)
    if set(answers) <= {"TRUE", "FALSE"}:
        place, covered = find_supporting(query["text"], sentences)
        question, least = as_question(query["text"]), 0.3
        gold, judge = (sentences[place],), "overlap"
    else:
        holding = [sentence for sentence in sentences if any(answer in sentence for answer in answers)]
        if not holding:
            return None
        best, covered = find_supporting(query["text"], holding)
        place, question, least = sentences.index(holding[best]), query["text"].strip(), 0.0
        gold, judge = answers, "contains"
    return Item(question, sentences[place], gold, judge) if covered >= least and _fits(sentences[place]) else None


def _heading_item(heading: str, sentences: Sequence[str]) -> Item | None:
    first = sentences[0]
    if (
        len(first) < 30
        or first[-1] not in ".!"
        or first.startswith(("-", "*", "[", "#", "|", "1."))
        or not _fits(first)
    ):
        return None
    if " - " in first or "TODO" in first or "  " in first:
        return None
    if not heading.endswith("?") and not 2 <= len(content(heading)) <= 8:
        return None
    question = heading if heading.endswith("?") else f"What do the documents say about {heading}?"
    return Item(question, first, (first,), "overlap")


def _fits(sentence: str) -> bool:
    return 12 <= len(sentence) <= MAX_ANSWER_CHARACTERS[detect_language(sentence)]


=======
>>>>>>> starter
def _build_group(
    reading: Reading,
    siblings: Sequence[Reading],
    others: Sequence[Reading],
    source: str,
    most: int,
    refusal_share: float,
    rng: random.Random,
) -> Group:
    """Passages cut from `reading`, its siblings and strangers, in random order, and the questions about them."""
    wanted = rng.choice((1, 2, 2, 3, 3, 4, 5))
    budget = _PREFIX_CHARACTERS[reading.language]
    chosen, cuts, used = [reading], [_cut(reading, rng, keep_item=True)], 0
    used = len(" ".join(cuts[0]))
    while len(chosen) < wanted and used < budget:
        near = [other for other in siblings if other not in chosen]
        other = rng.choice(near) if near and rng.random() < 0.7 else rng.choice(others)
        cut = _cut(other, rng, keep_item=bool(other.items))
        if other in chosen or used + len(" ".join(cut)) > budget:
            break
        chosen.append(other)
        cuts.append(cut)
        used += len(" ".join(cut))
    order = rng.sample(range(len(chosen)), len(chosen))
    chosen, cuts = [chosen[place] for place in order], [cuts[place] for place in order]
    passages = tuple(
        PromptPassage(text.title, text.heading_path if rng.random() < 0.6 else "", " ".join(cut))
        for text, cut in zip(chosen, cuts, strict=True)
    )
    strangers = [*siblings, *(rng.choice(others) for _ in range(3))]
    return Group(source, passages, tuple(_build_branches(chosen, cuts, passages, strangers, most, refusal_share, rng)))


def _cut(reading: Reading, rng: random.Random, *, keep_item: bool) -> tuple[str, ...]:
    """A run of whole sentences of random length, around a sentence that is asked about where `keep_item` is set."""
    low, high = _PASSAGE_CHARACTERS[reading.language]
    limit = rng.randint(low, high)
    sentences = reading.sentences
    start = end = rng.randrange(len(sentences))
    if keep_item and reading.items:
        start = end = sentences.index(rng.choice(reading.items).sentence)
    end += 1
    while True:
        sides = [side for side in ("left", "right") if (start > 0 if side == "left" else end < len(sentences))]
        if not sides:
            return sentences[start:end]
        side = rng.choice(sides)
        grown = (start - 1, end) if side == "left" else (start, end + 1)
        if len(" ".join(sentences[slice(*grown)])) > limit:
            return sentences[start:end]
        start, end = grown


def _build_branches(
    chosen: Sequence[Reading],
    cuts: Sequence[tuple[str, ...]],
    passages: Sequence[PromptPassage],
    strangers: Sequence[Reading],
    most: int,
    refusal_share: float,
    rng: random.Random,
) -> list[Branch]:
    answerable, missing = [], []
    for number, (reading, cut) in enumerate(zip(chosen, cuts, strict=True), start=1):
        for item in reading.items:
            if item.sentence in cut:
                answer = f"{item.sentence} [{number}]"
                language = detect_language(item.question)
                answerable.append(Branch(item.question, answer, language, item.gold, number, item.judge))
            else:
                missing.append(item)
    missing += [item for reading in strangers if reading not in chosen for item in reading.items]
    shown = "\n".join(f"{passage.title} {passage.heading_path} {passage.text}" for passage in passages).lower()
    absent = [item for item in missing if not any(gold.lower() in shown for gold in item.gold)]
    rng.shuffle(answerable)
    answerable = answerable[:most]
    expected = max(len(answerable), 2) * refusal_share / (1 - refusal_share)
    count = min(len(absent), int(expected) + (rng.random() < expected % 1))
    refusals = [refusal(item.question) for item in rng.sample(absent, count)]
    both = answerable + refusals
    rng.shuffle(both)
    return both
