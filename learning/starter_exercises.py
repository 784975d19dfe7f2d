"""Our own exercises: invented company rules in English and Korean, made from seeded templates.

Names, numbers and places are invented anew for every group, so nothing can be recalled and everything must be
copied from the passages. Each group shows the same rule for several places or years (near duplicates), so the right
passage must be told from its neighbours by its title, and asks some things that no passage says.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.prompt import Language, PromptPassage
from learning.starter_examples import Branch, Group, refusal

Words = tuple[str, str]
"""The same thing in English and in Korean."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of company rule. Templates know {scope}, {entity} and {value}; index 0 is English, 1 Korean."""

    name: str
    title: Words
    entities: tuple[Words, ...]
    value: Callable[[random.Random], Words]
    sentence: Words
    questions: tuple[tuple[str, ...], tuple[str, ...]]
    answer: Words


@dataclass(frozen=True, slots=True)
class _Page:
    """One passage: a rule sheet of one scope in one language, holding `values` by entity."""

    scope: Words
    language: Language
    values: dict[Words, Words]
    style: str


def _number(unit: str, unit_ko: str, low: int, high: int, step: int = 1) -> Callable[[random.Random], Words]:
    def draw(rng: random.Random) -> Words:
        number = rng.randrange(low, high, step)
        return f"{number:,} {unit}", f"{number:,}{unit_ko}"

    return draw


def _date(rng: random.Random) -> Words:
    month, day = rng.randint(1, 12), rng.randint(1, 28)
    names = "January February March April May June July August September October November December".split()
    return f"{day} {names[month - 1]}", f"{month}월 {day}일"


def _clock(rng: random.Random) -> Words:
    hour, minute = rng.randint(7, 19), rng.choice((0, 10, 15, 20, 30, 40, 45, 50))
    return f"{hour}:{minute:02}", f"{hour}시 {minute}분" if minute else f"{hour}시"


def _mail(rng: random.Random) -> Words:
    address = f"{_latin(rng).lower()}-{rng.choice(('help', 'desk', 'team', 'info'))}@{_latin(rng).lower()}.example"
    return address, address


def _extension(rng: random.Random) -> Words:
    number = rng.randint(1000, 9899)
    return f"extension {number}", f"내선 {number}"


def _person(rng: random.Random) -> Words:
    korean = rng.choice("김이박최정강조윤장임한오서신권황안송류홍") + _hangul(rng)
    return f"{_latin(rng)} {_latin(rng)}", korean


def _room(rng: random.Random) -> Words:
    number = rng.randint(101, 999)
    return f"room {number}", f"{number}호"


def _latin(rng: random.Random) -> str:
    start = rng.choice("B C D F G H J K L M N P R S T V W Br Dr Gr Kr St Tr".split())
    middle = rng.choice("al an ar el en er il in ir ol on or ul un ur".split())
    return start + middle + rng.choice("da den dor ga ken ley lo mar na nor ri ris sen ta ter vik wick ze".split())


def _hangul(rng: random.Random) -> str:
    first = rng.choice("가나다라마바사아자하누도무보소수우주구두미비시지하해다온별솔한")
    return first + rng.choice("람솔빛들결온찬빈린담울봄샘준윤원진연주아라미리나루도")


FAMILIES: tuple[Family, ...] = (
    Family(
        "leave",
        ("Leave rules", "휴가 규정"),
        (
            ("annual leave", "연차 휴가"),
            ("sick leave", "병가"),
            ("marriage leave", "결혼 휴가"),
            ("bereavement leave", "경조 휴가"),
            ("study leave", "학업 휴가"),
            ("volunteer leave", "봉사 휴가"),
            ("moving leave", "이사 휴가"),
        ),
        _number("days", "일", 2, 60),
        ("Staff of {scope} get {value} of {entity} a year.", "{scope} 직원의 {entity}는 연 {value}이다."),
        (
            ("How many days of {entity} do staff of {scope} get?", "How much {entity} is there at {scope}?"),
            ("{scope}의 {entity}는 며칠인가요?", "{scope} 직원은 {entity}를 얼마나 쓸 수 있나요?"),
        ),
        ("At {scope}, {entity} is {value}.", "{scope}의 {entity}는 {value}입니다."),
    ),
    Family(
        "expenses",
        ("Expense limits", "경비 한도"),
        (
            ("meals", "식비"),
            ("hotel nights", "숙박비"),
            ("taxi rides", "택시비"),
            ("client gifts", "고객 선물"),
            ("team events", "회식비"),
            ("books", "도서비"),
            ("phone bills", "통신비"),
        ),
        _number("won", "원", 5_000, 400_000, 500),
        (
            "{scope} pays back {entity} up to {value}.",
            "{scope}에서 {entity}의 한도는 {value}이다.",
        ),
        (
            ("What is the limit for {entity} at {scope}?", "How much does {scope} pay back for {entity}?"),
            ("{scope}의 {entity} 한도는 얼마인가요?", "{scope}에서는 {entity}를 얼마까지 쓸 수 있나요?"),
        ),
        ("The limit for {entity} at {scope} is {value}.", "{scope}의 {entity} 한도는 {value}입니다."),
    ),
    Family(
        "deadlines",
        ("Closing calendar", "마감 일정"),
        (
            ("travel claims", "출장비 정산"),
            ("budget plans", "예산안"),
            ("goal reviews", "목표 평가"),
            ("tax forms", "연말정산 서류"),
            ("stock counts", "재고 조사"),
            ("vendor bills", "거래처 청구서"),
        ),
        _date,
        ("At {scope}, {entity} are due on {value}.", "{scope}의 {entity} 마감일은 {value}이다."),
        (
            ("When are {entity} due at {scope}?", "By what date must {scope} hand in {entity}?"),
            ("{scope}의 {entity} 마감일은 언제인가요?", "{scope}에서는 {entity}를 언제까지 내야 하나요?"),
        ),
        ("At {scope}, {entity} are due on {value}.", "{scope}의 {entity} 마감일은 {value}입니다."),
    ),
    Family(
        "mail",
        ("Contacts", "연락처"),
        (
            ("payroll questions", "급여 문의"),
            ("laptop trouble", "노트북 고장"),
            ("door cards", "출입증"),
            ("press calls", "언론 문의"),
            ("data requests", "자료 요청"),
            ("harassment reports", "고충 신고"),
        ),
        _mail,
        ("For {entity}, staff of {scope} write to {value}.", "{scope}의 {entity}는 {value}로 보낸다."),
        (
            ("Where do I write about {entity} at {scope}?", "What is the address for {entity} at {scope}?"),
            ("{scope}의 {entity} 주소는 무엇인가요?", "{scope}에서 {entity}는 어디로 보내나요?"),
        ),
        ("For {entity} at {scope}, write to {value}.", "{scope}의 {entity}는 {value}로 보내면 됩니다."),
    ),
    Family(
        "phones",
        ("Telephone list", "전화번호부"),
        (
            ("the help desk", "전산 지원팀"),
            ("the warehouse", "창고"),
            ("the clinic", "의무실"),
            ("the front desk", "안내 데스크"),
            ("the legal team", "법무팀"),
            ("the security office", "보안실"),
        ),
        _extension,
        ("At {scope}, {entity} answers at {value}.", "{scope} {entity}의 번호는 {value}이다."),
        (
            ("What is the number of {entity} at {scope}?", "How do I call {entity} at {scope}?"),
            ("{scope} {entity} 번호가 어떻게 되나요?", "{scope} {entity}에 전화하려면 몇 번인가요?"),
        ),
        ("At {scope}, {entity} is reached at {value}.", "{scope} {entity}의 번호는 {value}입니다."),
    ),
    Family(
        "passwords",
        ("Security standard", "보안 기준"),
        (
            ("passwords", "비밀번호"),
            ("access reviews", "권한 점검"),
            ("backup tests", "백업 시험"),
            ("guest accounts", "임시 계정"),
            ("audit logs", "감사 기록"),
            ("VPN keys", "VPN 키"),
        ),
        _number("weeks", "주", 2, 99),
        (
            "{scope} renews {entity} every {value}.",
            "{scope}의 {entity} 주기는 {value}이다.",
        ),
        (
            ("How often are {entity} renewed at {scope}?", "After how many weeks does {scope} renew {entity}?"),
            ("{scope}의 {entity} 주기는 몇 주인가요?", "{scope}에서는 {entity}를 얼마마다 갱신하나요?"),
        ),
        ("At {scope}, {entity} are renewed every {value}.", "{scope}의 {entity} 주기는 {value}입니다."),
    ),
    Family(
        "owners",
        ("Responsibilities", "업무 담당"),
        (
            ("purchasing", "구매"),
            ("hiring", "채용"),
            ("training", "교육"),
            ("fire safety", "소방 안전"),
            ("contracts", "계약"),
            ("the archive", "문서 보관"),
        ),
        _person,
        ("{value} looks after {entity} at {scope}.", "{scope}의 {entity} 담당자는 {value}이다."),
        (
            ("Who looks after {entity} at {scope}?", "Whom do I ask about {entity} at {scope}?"),
            ("{scope}의 {entity} 담당자는 누구인가요?", "{scope}에서 {entity}는 누가 맡고 있나요?"),
        ),
        ("{value} looks after {entity} at {scope}.", "{scope}의 {entity} 담당자는 {value}입니다."),
    ),
    Family(
        "rooms",
        ("Floor guide", "층별 안내"),
        (
            ("the quiet room", "휴게실"),
            ("the print room", "인쇄실"),
            ("the server room", "전산실"),
            ("the nursing room", "수유실"),
            ("the training room", "교육장"),
            ("the mail room", "우편실"),
        ),
        _room,
        ("At {scope}, {entity} is {value}.", "{scope}의 {entity}은 {value}에 있다."),
        (
            ("Where is {entity} at {scope}?", "Which room is {entity} at {scope}?"),
            ("{scope}의 {entity}은 어디에 있나요?", "{scope} {entity}이 몇 호인지 알려주세요."),
        ),
        ("At {scope}, {entity} is {value}.", "{scope}의 {entity}은 {value}에 있습니다."),
    ),
    Family(
        "incidents",
        ("Response times", "대응 시간"),
        (
            ("a full outage", "전면 장애"),
            ("a slow service", "속도 저하"),
            ("a data leak", "정보 유출"),
            ("a lost laptop", "노트북 분실"),
            ("a billing error", "청구 오류"),
            ("a phishing mail", "피싱 메일"),
        ),
        _number("minutes", "분", 5, 600, 5),
        (
            "{scope} must answer {entity} within {value}.",
            "{scope}에서 {entity}의 대응 시한은 {value}이다.",
        ),
        (
            ("How fast must {scope} answer {entity}?", "Within what time is {entity} answered at {scope}?"),
            ("{scope}의 {entity} 대응 시한은 얼마인가요?", "{scope}에서는 {entity}에 몇 분 안에 대응해야 하나요?"),
        ),
        ("{scope} answers {entity} within {value}.", "{scope}의 {entity} 대응 시한은 {value}입니다."),
    ),
    Family(
        "hours",
        ("Opening hours", "운영 시간"),
        (
            ("the canteen", "구내식당"),
            ("the car park", "주차장"),
            ("the gym", "체력 단련실"),
            ("the library", "자료실"),
            ("the shuttle bus", "통근 버스"),
            ("the night gate", "야간 출입문"),
        ),
        _clock,
        ("At {scope}, {entity} closes at {value}.", "{scope}의 {entity} 마감은 {value}이다."),
        (
            ("When does {entity} close at {scope}?", "Until what time can I use {entity} at {scope}?"),
            ("{scope}의 {entity} 마감은 몇 시인가요?", "{scope} {entity} 운영은 언제 끝나나요?"),
        ),
        ("At {scope}, {entity} closes at {value}.", "{scope}의 {entity} 마감은 {value}입니다."),
    ),
    Family(
        "warranty",
        ("Equipment guide", "장비 지침"),
        (
            ("laptops", "노트북"),
            ("monitors", "모니터"),
            ("work phones", "업무용 전화"),
            ("office chairs", "사무용 의자"),
            ("printers", "프린터"),
            ("safety shoes", "안전화"),
        ),
        _number("months", "개월", 6, 96),
        ("{scope} replaces {entity} after {value}.", "{scope}의 {entity} 교체 주기는 {value}이다."),
        (
            ("When are {entity} replaced at {scope}?", "After how many months does {scope} replace {entity}?"),
            ("{scope}의 {entity} 교체 주기는 얼마인가요?", "{scope}에서 {entity}는 언제 교체하나요?"),
        ),
        ("{scope} replaces {entity} after {value}.", "{scope}의 {entity} 교체 주기는 {value}입니다."),
    ),
    Family(
        "training",
        ("Training plan", "교육 계획"),
        (
            ("first aid", "응급 처치"),
            ("privacy law", "개인정보 보호"),
            ("fork-lift driving", "지게차 운전"),
            ("new managers", "신임 관리자"),
            ("code review", "코드 검토"),
            ("fair trade rules", "공정 거래"),
        ),
        _number("hours", "시간", 1, 48),
        ("The {entity} course at {scope} takes {value}.", "{scope}의 {entity} 교육은 {value}이다."),
        (
            ("How long is the {entity} course at {scope}?", "How many hours is {entity} at {scope}?"),
            ("{scope}의 {entity} 교육은 몇 시간인가요?", "{scope} {entity} 교육 시간을 알려주세요."),
        ),
        ("The {entity} course at {scope} takes {value}.", "{scope}의 {entity} 교육은 {value}입니다."),
    ),
)

HELD_OUT_FAMILIES = frozenset({"warranty", "training"})

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


def split_families() -> tuple[list[Family], list[Family]]:
    """Families to train on, and those kept for the card."""
    train = [family for family in FAMILIES if family.name not in HELD_OUT_FAMILIES]
    return train, [family for family in FAMILIES if family.name in HELD_OUT_FAMILIES]


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
        name, hangul = _latin(rng), _hangul(rng)
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
    """A question, with no place named where `scope` is None; over pages of the other language half of them keep the page's own word, as bilingual staff do."""
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
