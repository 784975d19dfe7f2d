"""Sentences with known personal data and secrets, and sentences that only look so, in both languages, by a seed."""

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
BUSINESS_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


@dataclass(frozen=True)
class Sentence:
    """A sentence with the one stretch of it that is private, and its kind; `private` is empty for a decoy."""

    text: str
    private: str
    kind: str


def make_sentences(count: int, seed: int) -> list[Sentence]:
    """As many sentences: three of five hold something, half are Korean."""
    chance = random.Random(seed)
    kinds = list(MAKERS)
    return [
        make_sentence(chance, kinds[at // 5 % len(kinds)], korean=at % 2 == 0) if at % 5 < 3 else make_decoy(chance, at)
        for at in range(count)
    ]


def make_sentence(chance: random.Random, kind: str, *, korean: bool) -> Sentence:
    value = MAKERS[kind](chance, korean)
    frames = FRAMES[kind][0 if korean else 1]
    return Sentence(chance.choice(frames).format(value), value, kind)


def make_decoy(chance: random.Random, at: int) -> Sentence:
    frames = DECOYS[0 if at % 2 == 0 else 1]
    return Sentence(_fill(chance, chance.choice(frames)), "", "")


def digits(chance: random.Random, count: int, first: str = "0123456789") -> str:
    return chance.choice(first) + "".join(chance.choice(string.digits) for _ in range(count - 1))


def word(chance: random.Random, count: int, signs: str = string.ascii_letters + string.digits) -> str:
    return "".join(chance.choice(signs) for _ in range(count))


def make_resident(chance: random.Random, korean: bool, centuries: str = "1234", base: int = 11) -> str:
    del korean
    seventh = chance.choice(centuries)
    recent = seventh in "3478" and chance.random() < 0.3
    year = chance.randint(21, 25) if recent else chance.randint(0, 20) if seventh in "3478" else chance.randint(40, 99)
    body = f"{year:02}{chance.randint(1, 12):02}{chance.randint(1, 28):02}{seventh}{digits(chance, 5)}"
    total = sum(weight * int(digit) for weight, digit in zip(RESIDENT_WEIGHTS, body, strict=True))
    # Since October 2020 the last digit is drawn.
    last = chance.randint(0, 9) if recent else (base - total % 11) % 10
    mark = "-" if recent else chance.choice(["-", "-", "-", " - ", ""])
    return f"{body[:6]}{mark}{body[6:]}{last}"


def make_foreigner(chance: random.Random, korean: bool) -> str:
    return make_resident(chance, korean, "5678", 13)


def make_business(chance: random.Random, korean: bool) -> str:
    del korean
    body = digits(chance, 9, "123456789")
    total = sum(weight * int(digit) for weight, digit in zip(BUSINESS_WEIGHTS, body, strict=True))
    number = f"{body}{(10 - (total + int(body[8]) * 5 // 10) % 10) % 10}"
    return f"{number[:3]}-{number[3:5]}-{number[5:]}" if chance.random() < 0.8 else number


def make_phone(chance: random.Random, korean: bool) -> str:
    tail = (digits(chance, 4, "23456789"), digits(chance, 4))
    forms = [
        "010-{}-{}",
        "010 {} {}",
        "010.{}.{}",
        "010{}{}",
        "+82 10-{}-{}",
        "+82-10-{}-{}",
        "02-{}-{}",
        "031-{}-{}",
        "070-{}-{}",
        "(02) {}-{}",
    ]
    foreign = ["+1 415-555-2671", "(212) 736-5000", "+44 20 7946 0958", "+49 30 901820", "650-253-0000"]
    return chance.choice(forms).format(*tail) if korean or chance.random() < 0.6 else chance.choice(foreign)


def make_account(chance: random.Random, korean: bool) -> str:
    forms = [(3, 6, 2, 3), (6, 2, 6), (3, 2, 6), (4, 3, 6), (3, 4, 4, 2)]
    if not korean and chance.random() < 0.3:
        return chance.choice(["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "FR1420041010050500013M02606"])
    if chance.random() < 0.25:
        return digits(chance, chance.randint(11, 14), "123456789")
    return "-".join(digits(chance, count, "123456789") for count in chance.choice(forms))


def make_card(chance: random.Random, korean: bool) -> str:
    del korean
    body = f"{chance.choice('45')}{digits(chance, 14)}"
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(body)]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    number = f"{body}{(10 - total % 10) % 10}"
    return chance.choice(["-", " ", ""]).join(number[at : at + 4] for at in range(0, 16, 4))


def make_address(chance: random.Random, korean: bool) -> str:
    number, floor, room = chance.randint(1, 399), chance.randint(2, 20), chance.randint(101, 2001)
    if not korean:
        return chance.choice(
            [
                f"{number} Maple Street, Springfield, IL 6270{number % 10}",
                f"{number} Oak Ridge Avenue",
                f"{number}, Teheran-ro, Gangnam-gu, Seoul",
                f"{number} King Road, Oxford",
                f"{number} Bongeunsa-ro 5-gil, Gangnam-gu, Seoul",
            ]
        )
    return chance.choice(
        [
            f"서울특별시 강남구 테헤란로 {number}, {floor}층",
            f"경기도 성남시 분당구 판교역로 {number}",
            f"부산 해운대구 센텀중앙로 {number} {room}호",
            f"서울 마포구 월드컵북로{floor}길 {number}",
            f"충청남도 천안시 서북구 불당동 {number}-{floor}",
            f"대전 유성구 대학로 {number}",
            f"전남 나주시 빛가람로 {number}",
            f"수원시 영통구 광교중앙로 {number}",
        ]
    )


def make_passport(chance: random.Random, korean: bool) -> str:
    letter = chance.choice("MSR")
    old, new = (
        f"{letter}{digits(chance, 8)}",
        f"{letter}{digits(chance, 3)}{word(chance, 1, 'ABCDEFG')}{digits(chance, 4)}",
    )
    return chance.choice([old, new] if korean else [old, new, digits(chance, 9)])


def make_licence(chance: random.Random, korean: bool) -> str:
    tail = f"{digits(chance, 2)}-{digits(chance, 6)}-{digits(chance, 2)}"
    if korean and chance.random() < 0.3:
        return f"{chance.choice(['서울', '경기', '부산'])} {tail}"
    number = f"{chance.randint(11, 28)}-{tail}"
    return number if chance.random() < 0.8 else number.replace("-", "")


def make_email(chance: random.Random, korean: bool) -> str:
    name = [word(chance, count, string.ascii_lowercase) for count in (5, 4, 6)]
    ending = ".co.kr" if korean else chance.choice([".com", ".org", ".io"])
    return f"{name[0]}{chance.choice(['.', '_', '', '+'])}{name[1]}@{name[2]}{ending}"


def make_social(chance: random.Random, korean: bool) -> str:
    del korean
    return f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"


def make_key(chance: random.Random, korean: bool) -> str:
    del korean
    lower, upper = string.ascii_lowercase + string.digits, string.ascii_uppercase + string.digits
    return chance.choice(
        [
            f"AKIA{word(chance, 16, upper)}",
            f"ghp_{word(chance, 36)}",
            f"glpat-{word(chance, 20)}",
            f"xoxb-{digits(chance, 12)}-{digits(chance, 12)}-{word(chance, 24, lower)}",
            f"sk_live_{word(chance, 24)}",
            f"eyJ{word(chance, 20)}.eyJ{word(chance, 40)}.{word(chance, 43)}",
            f"AIza{word(chance, 35)}",
            f"SG.{word(chance, 22)}.{word(chance, 43)}",
            f"hf_{word(chance, 34)}",
            f"sk-ant-api03-{word(chance, 60)}",
            f"{word(chance, 8)}7!{word(chance, 3)}a",
            word(chance, 40, "0123456789abcdef"),
        ]
    )


MAKERS: dict[str, Callable[[random.Random, bool], str]] = {
    "resident number": make_resident,
    "foreigner number": make_foreigner,
    "business number": make_business,
    "phone": make_phone,
    "account": make_account,
    "card": make_card,
    "address": make_address,
    "passport": make_passport,
    "driver's licence": make_licence,
    "e-mail": make_email,
    "social security number": make_social,
    "key": make_key,
}

# Korean frames, then English ones.
FRAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "resident number": (
        ("제 주민등록번호는 {}입니다.", "신청서에 {}라고 적었어요.", "주민번호({})로 조회하세요"),
        ("My resident number is {}.", "Please enter {} in the form.", "RRN: {}"),
    ),
    "foreigner number": (
        ("외국인등록번호 {}으로 등록했습니다.", "등록증에 {}이라고 되어 있어요.", "외국인번호: {}"),
        ("Her alien registration number is {}.", "ARC {} expires soon.", "Use {} for the visa form."),
    ),
    "business number": (
        ("사업자등록번호 {}로 발행해 주세요.", "사업자번호는 {}입니다.", "거래처 사업자 번호: {}"),
        ("Issue it to business registration number {}.", "Our business no. {} is on file.", "BRN {}"),
    ),
    "phone": (
        ("{}로 전화 주세요.", "제 번호는 {}입니다.", "담당자 연락처 {}, 내선 12", "급하면 {}번으로요"),
        ("Call me at {}.", "My number is {}, ask for Jo.", "Tel: {}", "You can reach her on {} today."),
    ),
    "account": (
        ("국민은행 {}로 보내 주세요.", "급여 계좌는 {}입니다.", "신한은행 계좌번호 {} 홍길동", "카카오뱅크 {}"),
        ("Please wire it to account {}.", "Bank account: {}", "Transfer it to {} by Friday."),
    ),
    "card": (
        ("법인카드 {}로 결제했습니다.", "카드번호는 {}예요.", "{} 카드가 안 돼요."),
        ("The card {} was declined.", "Charge it to {}.", "card no. {}, valid until 2027"),
    ),
    "address": (
        ("집 주소는 {}입니다.", "택배는 {} 앞으로 보내 주세요.", "{}에 삽니다."),
        ("I live at {}.", "Ship the laptop to {} please.", "Home address: {}"),
    ),
    "passport": (
        ("여권번호는 {}입니다.", "여권 {} 사본을 첨부합니다.", "출장용 여권 번호 {}"),
        ("My passport number is {}.", "passport no. {}", "Passport {} expires in May."),
    ),
    "driver's licence": (
        ("운전면허 {}로 등록했습니다.", "면허번호는 {}입니다.", "운전면허증 번호: {}"),
        ("My driver's licence is {}.", "license number {}", "Driving licence: {}"),
    ),
    "e-mail": (
        ("{}으로 보내 주세요.", "문의는 {}", "제 메일 주소는 {}이에요."),
        ("Write to {}.", "My mail is {}, thanks.", "<{}> asked for it"),
    ),
    "social security number": (
        ("미국 직원의 번호는 {}입니다.", "SSN {}", "사회보장번호 {}을 냈습니다."),
        ("My SSN is {}.", "social security number: {}", "Enter {} on the W-4."),
    ),
    "key": (
        ("토큰은 {} 입니다.", "비밀번호: {}", "API 키는 {}", "액세스 키 = {}"),
        ("The token is {}", "password: {}", "api_key = '{}'", "Use secret {} for now."),
    ),
}

# {n} is a digit, {w} a lower-case letter; nothing here belongs to a person.
DECOYS: tuple[tuple[str, ...], tuple[str, ...]] = (
    (
        "2026-1{1}-0{8}일까지 신청하세요.",
        "연차는 {n}{n}일이고 예산은 1,{n}{n}{n},000원입니다.",
        "주문번호 20261{n}{n}{n}-{n}{n}{n}{n}",
        "제{n}조 {n}항에 따라 3.2.{n}을 보세요.",
        "2026년 11월 {n}일 14:30에 회의실 {n}0{n}호",
        "문서번호 HR-2026-0{n}{n}{n}",
        "비밀번호는 8자 이상, 90일마다 바꿉니다.",
        "총 {n},{n}{n}{n},{n}{n}{n}명이 신청했습니다.",
        "버전 1{n}.0.{n}{n}을 설치하세요.",
        "보증금은 50{n}만원이며 3개월 후 돌려받습니다.",
        "월 2{n}{n}시간 근무, 주 52시간 상한",
        "회의는 오전 9:00-11:30에 합니다.",
        "재택근무는 주 {n}일입니다.",
        "상품코드 {n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}A",
        "본사 {n}층 카페는 8시에 엽니다.",
        "여권은 만료 6개월 전에 갱신하세요.",
        "2025.01.0{8} ~ 2025.12.31 사이의 계약",
        "계좌 변경은 매월 15일까지 인사팀에 알리세요.",
        "운전면허가 있어야 회사 차를 씁니다.",
        "사업자등록증은 재무팀이 발급합니다.",
        "동아리 지원금은 {n}0만원, 회원 {n}명 이상",
    ),
    (
        "Apply by 2026-1{1}-0{8}.",
        "The budget is 1,{n}{n}{n},000 won a year.",
        "Order 20261{n}{n}{n}-{n}{n}{n}{n} has shipped.",
        "See section 3.2.{n} of rule {n}.",
        "Version 1{n}.0.{n}{n} fixes it.",
        "Document HR-2026-0{n}{n}{n}, page {n}",
        "Passwords have at least 12 characters.",
        "The token expires after 30 days.",
        "From 2025-01-01 to 2026-12-31 it is 5 {n}00.",
        "Rooms 30{n} and 41{n} are booked 09:00-11:30.",
        "ISBN 978-3-16-14841{n}-0",
        "At 192.168.{n}.1{n} you find the printer.",
        "Commit 3f786850e387550fdab836ed7e6dc881de23001b broke it.",
        "Serial {w}{w}-{n}{n}{n}{n}{n}{n} is covered.",
        "The API key is stored in the vault.",
        "Renew your passport six months before 2027.",
        "{n}{n}% of 1{n},{n}{n}{n} people answered.",
        "You need a licence to drive one of the 1{n} cars.",
        "Bank transfers take 2-3 days.",
        "Ticket INC00{n}{n}{n}{n}{n}{n} is open.",
        "Part 4{n}-{n}{n}{n}{n}-{w}{w} costs 12.{n}{n} euros.",
    ),
)


def _fill(chance: random.Random, frame: str) -> str:
    return "".join(_fill_parts(chance, frame))


def _fill_parts(chance: random.Random, frame: str) -> Iterator[str]:
    for part in frame.replace("}", "{").split("{"):
        if part == "n":
            yield str(chance.randint(1, 9))
        elif part == "w":
            yield chance.choice(string.ascii_lowercase)
        else:
            yield part
