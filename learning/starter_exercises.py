"""Our own exercises: invented company rules in English and Korean, made from seeded templates.

Names, numbers and places are invented anew for every group, so nothing can be recalled and everything must be
copied from the passages. Each group shows the same rule for several places or years (near duplicates), so the right
passage must be told from its neighbours by its title, and asks some things that no passage says.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.prompt import Language, PromptPassage
from learning.starter_examples import Branch, Group, refusal
from learning.starter_families import Family, Words, draw_hangul_name, draw_latin_name


@dataclass(frozen=True, slots=True)
class _Page:
    """One passage: a rule sheet of one scope in one language, holding `values` by entity."""

    scope: Words
    language: Language
    values: dict[Words, Words]
    style: str


_SCOPE_KO = re.compile(r"\{scope\}(?:의|에서는|에서| 직원은)? ")
_ARTICLE = re.compile(r"^(?:the|a) ")
_STYLES = ("prose", "prose", "table", "lines", "clauses")
_PLACES: tuple[Words, ...] = (("office", "지점"), ("plant", "공장"), ("lab", "연구소"), ("store", "매장"))
_FILLER: tuple[tuple[str, ...], tuple[str, ...]] = (
    (
        "This page is checked once a year.",
        "Ask your manager if something is unclear.",
        "Exceptions need a written reason.",
        "Older versions are kept in the archive.",
    ),
    ("이 문서는 해마다 검토한다.", "예외는 서면으로 신청한다.", "문의는 팀장에게 한다.", "이전 판은 보관한다."),
)


def build_exercises(families: Sequence[Family], language: Language, seed: int) -> Iterator[Group]:
    """Groups without end whose questions are in `language`; about one in six shows pages in the other language."""
    rng = random.Random(seed)
    while True:
        yield _build_group(rng.choice(families), language, rng)


def fit_particles(text: str, stem: str) -> str:
    """Give the Korean particle behind `stem` the form that its last sound asks for (는/은, 를/을, 이/가)."""
    closed = _ends_closed(stem)
    for open_form, closed_form in (("는", "은"), ("를", "을"), ("가", "이")):
        for written in (open_form, closed_form):
            text = text.replace(f"{stem}{written} ", f"{stem}{closed_form if closed else open_form} ")
    for written in ("로 ", "으로 "):
        text = text.replace(f"{stem}{written}", f"{stem}{'으로 ' if closed and stem[-1] not in '1278' else '로 '}")
    return text


def _ends_closed(stem: str) -> bool:
    last = stem[-1]
    if "가" <= last <= "힣":
        return (ord(last) - 0xAC00) % 28 != 0
    return last in "013678" or last.lower() in "lmn"


def _build_group(family: Family, language: Language, rng: random.Random) -> Group:
    shown_language: Language = language if rng.random() < 0.84 else ("ko" if language == "en" else "en")
    scopes = _draw_scopes(rng, shown_language, rng.choice((1, 2, 2, 3, 3, 4)) + 1)
    pages = [_draw_page(family, scope, shown_language, rng) for scope in scopes[:-1]]
    passages = tuple(_render_page(family, page, rng) for page in pages)
    facts = [(number, page, entity) for number, page in enumerate(pages, start=1) for entity in page.values]
    wanted = rng.sample(facts, min(len(facts), 7))
    held = [entity for _, _, entity in facts]
    alone = {entity for entity in family.entities if held.count(entity) <= 1 and rng.random() < 0.35}
    branches = [
        _ask(family, page, entity, number, entity not in alone, language, rng) for number, page, entity in wanted
    ]
    absent: list[tuple[Words | None, Words]] = [(scopes[-1], rng.choice(family.entities))]
    absent += [(None, entity) for entity in family.entities if entity not in held and rng.random() < 0.5]
    absent += [(page.scope, entity) for page in pages for entity in family.entities if entity not in page.values]
    count = 1 if rng.random() < 0.75 else rng.randint(0, 2)
    for scope, entity in rng.sample(absent, min(count, len(absent))):
        branches.append(refusal(_question(family, scope, entity, language, shown_language, rng)))
    rng.shuffle(branches)
    return Group(f"own-{family.name}", passages, tuple(branches))


def _draw_scopes(rng: random.Random, language: Language, count: int) -> list[Words]:
    """Different places, or one place in different years: the near duplicates that a title tells apart."""
    kind = rng.choice(_PLACES)

    def place() -> Words:
        name, hangul = draw_latin_name(rng), draw_hangul_name(rng)
        if language == "en":
            return f"the {name} {kind[0]}", f"{name} {kind[1]}"
        return f"the {hangul} {kind[0]}", f"{hangul} {kind[1]}"

    if rng.random() < 0.25:
        english, korean = place()
        years = rng.sample(range(2016, 2031), count)
        return [(f"{english} in {year}", f"{year}년 {korean}") for year in years]
    return list({scope[0]: scope for scope in (place() for _ in range(count + 3))}.values())[:count]


def _draw_page(family: Family, scope: Words, language: Language, rng: random.Random) -> _Page:
    entities = rng.sample(family.entities, rng.randint(1, 5 if language == "en" else 3))
    values = {entity: family.value(rng) for entity in entities}
    return _Page(scope, language, values, rng.choice(_STYLES))


def _render_page(family: Family, page: _Page, rng: random.Random) -> PromptPassage:
    place = 0 if page.language == "en" else 1
    scope = page.scope[place]
    rows = [(_bare(entity[place]), value[place]) for entity, value in page.values.items()]
    if page.style == "table":
        head = ("| Item | Value |", "| 항목 | 내용 |")[place]
        text = "\n".join([head, "| --- | --- |", *(f"| {entity} | {value} |" for entity, value in rows)])
    elif page.style == "lines":
        text = "\n".join(f"{entity}: {value}" for entity, value in rows)
    else:
        sentences = [_sentence(family, page, entity) for entity in page.values]
        if page.style == "clauses":
            first = rng.randint(1, 40)
            marks = (f"Article {first}", f"제{first}조")[place]
            text = "\n".join([marks, *(f"{chr(0x2460 + i)} {sentence}" for i, sentence in enumerate(sentences))])
        else:
            sentences.insert(rng.randint(0, len(sentences)), rng.choice(_FILLER[place]))
            text = " ".join(sentences)
    company = (
        f"{scope.removeprefix('the ')} {family.title[place].lower()}" if place == 0 else f"{scope} {family.title[1]}"
    )
    title, heading = (company, "") if rng.random() < 0.5 else (family.title[place], scope.removeprefix("the "))
    return PromptPassage(title, heading, text)


def _sentence(family: Family, page: _Page, entity: Words) -> str:
    place = 0 if page.language == "en" else 1
    return _fill(family.sentence[place], page.scope[place], entity[place], page.values[entity][place], place)


def _ask(
    family: Family, page: _Page, entity: Words, number: int, named: bool, language: Language, rng: random.Random
) -> Branch:
    shown, place = (0 if page.language == "en" else 1), (0 if language == "en" else 1)
    question = _question(family, page.scope if named else None, entity, language, page.language, rng)
    value = page.values[entity][place]
    if shown == place and page.style in ("prose", "clauses"):
        text = _sentence(family, page, entity)
    elif shown == place:
        text = _fill(family.answer[place], page.scope[place], entity[place], value, place)
    else:
        value = page.values[entity][shown] if family.name == "owners" else value
        text = _fill(family.answer[place], page.scope[place], entity[place], value, place)
    return Branch(question, f"{text} [{number}]", language, (value,), number, "contains")


def _question(
    family: Family, scope: Words | None, entity: Words, language: Language, shown: Language, rng: random.Random
) -> str:
    """A question, with no place named where `scope` is None.

    Over pages of the other language half of them keep the page's own word, as bilingual staff do.
    """
    place = 0 if language == "en" else 1
    word = _bare(entity[0]) if language == "ko" and shown == "en" and rng.random() < 0.5 else entity[place]
    template = rng.choice(family.questions[place])
    if scope is None:
        return _fill(_without_scope(template, place), "the company", word, "", place)
    return _fill(template, scope[place], word, "", place)


def _without_scope(template: str, place: int) -> str:
    if place == 0:
        return template.replace(" at {scope}", "")
    return _SCOPE_KO.sub("", template)


def _bare(entity: str) -> str:
    return _ARTICLE.sub("", entity)


def _fill(template: str, scope: str, entity: str, value: str, place: int) -> str:
    text = template.format(scope=scope, entity=entity, value=value)
    if place == 1:
        for stem in (entity, value):
            text = fit_particles(text, stem) if stem else text
        return text
    return text[0].upper() + text[1:]
