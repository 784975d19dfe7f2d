"""Check digits of the numbers that people and companies are known by, so that an order number stays what it is.

Each function takes a number as written, with or without separators, and raises nothing.
"""

import re
from datetime import date

_DIGIT = re.compile(r"\d")
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_BUSINESS_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)
# The seventh digit says the century and the sex; 5 to 8 are foreigners.
_CENTURIES = {"1": 1900, "2": 1900, "3": 2000, "4": 2000, "5": 1900, "6": 1900, "7": 2000, "8": 2000}


def read_digits(text: str) -> str:
    """The decimal digits of a text, full-width ones too."""
    return "".join(str(int(digit)) for digit in _DIGIT.findall(text))


def has_birth_date(number: str) -> bool:
    """Whether a resident or foreigner number begins with a day that was or will be."""
    digits = read_digits(number)
    century = _CENTURIES.get(digits[6:7])
    if century is None:
        return False
    try:
        date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    return True


def is_foreigner(number: str) -> bool:
    """Whether a thirteen-digit number is a foreigner's; check the digits apart."""
    return read_digits(number)[6:7] in {"5", "6", "7", "8"}


def passes_resident_check(number: str) -> bool:
    """Check digit of a resident or foreigner number.

    Numbers given out since October 2020 have a random last digit, so a number that fails may still be one.
    """
    digits = read_digits(number)
    if len(digits) != 13:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, digits, strict=False))
    base = 13 if is_foreigner(number) else 11
    return (base - total % 11) % 10 == int(digits[12])


def passes_business_check(number: str) -> bool:
    """Check digit of a Korean business registration number of ten digits."""
    digits = read_digits(number)
    if len(digits) != 10 or digits == "0" * 10:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_BUSINESS_WEIGHTS, digits, strict=False))
    total += int(digits[8]) * 5 // 10
    return (10 - total % 10) % 10 == int(digits[9])


def passes_luhn(number: str) -> bool:
    """Check digit of a payment card of 13 to 19 digits."""
    digits = read_digits(number)
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def passes_iban_check(number: str) -> bool:
    """Check digits of an international bank account number (ISO 13616, modulo 97)."""
    signs = re.sub(r"\s", "", number).upper()
    if not 15 <= len(signs) <= 34 or not signs.isascii() or not signs.isalnum():
        return False
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1
