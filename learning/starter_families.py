"""The kinds of company rule that our own exercises are made of, in English and Korean, with their invented values."""

import random
from collections.abc import Callable
from dataclasses import dataclass

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
    box = rng.choice(("help", "desk", "team", "info"))
    address = f"{draw_latin_name(rng)}-{box}@{draw_latin_name(rng)}.example".lower()
    return address, address


def _extension(rng: random.Random) -> Words:
    number = rng.randint(1000, 9899)
    return f"extension {number}", f"내선 {number}"


def _person(rng: random.Random) -> Words:
    korean = rng.choice("김이박최정강조윤장임한오서신권황안송류홍") + draw_hangul_name(rng)
    return f"{draw_latin_name(rng)} {draw_latin_name(rng)}", korean


def _room(rng: random.Random) -> Words:
    number = rng.randint(101, 999)
    return f"room {number}", f"{number}호"


def draw_latin_name(rng: random.Random) -> str:
    """An invented name in Latin letters, out of about 6,000."""
    start = rng.choice("B C D F G H J K L M N P R S T V W Br Dr Gr Kr St Tr".split())
    middle = rng.choice("al an ar el en er il in ir ol on or ul un ur".split())
    return start + middle + rng.choice("da den dor ga ken ley lo mar na nor ri ris sen ta ter vik wick ze".split())


def draw_hangul_name(rng: random.Random) -> str:
    """An invented name of two syllables, out of about 700."""
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


def split_families() -> tuple[list[Family], list[Family]]:
    """Families to train on, and those kept for the card."""
    train = [family for family in FAMILIES if family.name not in HELD_OUT_FAMILIES]
    return train, [family for family in FAMILIES if family.name in HELD_OUT_FAMILIES]
