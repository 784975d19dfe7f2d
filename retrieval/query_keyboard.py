"""Words typed with the other keyboard on: `gbrk` is 휴가, `ㅗ디ㅣㅐ` is hello. Two-set Korean layout."""

import re

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_MEDIALS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_KEYS = dict(zip("rRseEfaqQtTdwWczxvg", _INITIALS, strict=True)) | dict(
    zip("koiOjpuPhynbml", "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅛㅜㅠㅡㅣ", strict=True)
)
_JOINED = {
    **{"ㅗㅏ": "ㅘ", "ㅗㅐ": "ㅙ", "ㅗㅣ": "ㅚ", "ㅜㅓ": "ㅝ", "ㅜㅔ": "ㅞ", "ㅜㅣ": "ㅟ", "ㅡㅣ": "ㅢ"},
    **{"ㄱㅅ": "ㄳ", "ㄴㅈ": "ㄵ", "ㄴㅎ": "ㄶ", "ㄹㄱ": "ㄺ", "ㄹㅁ": "ㄻ", "ㄹㅂ": "ㄼ", "ㄹㅅ": "ㄽ"},
    **{"ㄹㅌ": "ㄾ", "ㄹㅍ": "ㄿ", "ㄹㅎ": "ㅀ", "ㅂㅅ": "ㅄ"},
}
_APART = {joined: parts for parts, joined in _JOINED.items()}
_TYPED = {jamo: key for key, jamo in _KEYS.items()}
_SYLLABLES = re.compile(r"[가-힣]+")
_FIRST = ord("가")


def split_syllable(syllable: str) -> tuple[str, str, str]:
    """Initial, medial and final of a Hangul syllable; the final may be empty."""
    place = ord(syllable) - _FIRST
    return _INITIALS[place // 588], _MEDIALS[place % 588 // 28], _FINALS[place % 28]


def join_syllable(initial: str, medial: str, final: str = "") -> str:
    """The syllable of its parts."""
    place = _INITIALS.index(initial) * 588 + _MEDIALS.index(medial) * 28 + _FINALS.index(final)
    return chr(_FIRST + place)


def vary_syllable(syllable: str) -> list[str]:
    """Every syllable that differs in one part."""
    initial, medial, final = split_syllable(syllable)
    varied = [
        *(join_syllable(other, medial, final) for other in _INITIALS),
        *(join_syllable(initial, other, final) for other in _MEDIALS),
        *(join_syllable(initial, medial, other) for other in _FINALS),
    ]
    return [other for other in varied if other != syllable]


def split_jamo(text: str) -> str:
    """Hangul as single letters, other characters as they are: what Korean edit distance counts in."""
    return "".join("".join(split_syllable(one)) if _SYLLABLES.match(one) else one for one in text)


def type_as_korean(word: str) -> str | None:
    """What English letters give with the Korean keyboard on; None where that is not whole syllables."""
    jamo = [_KEYS.get(key, _KEYS.get(key.lower(), "")) for key in word]
    if not all(jamo):
        return None
    composed = _compose(jamo)
    return composed if composed and _SYLLABLES.fullmatch(composed) else None


def type_as_english(word: str) -> str | None:
    """What Hangul gives with the English keyboard on; None where something else is among it."""
    keys = [_TYPED.get(part) for jamo in split_jamo(word) for part in _APART.get(jamo, jamo)]
    return "".join(key for key in keys if key) if keys and all(keys) else None


def _compose(jamo: list[str]) -> str:
    """Letters to syllables; a consonant before a vowel begins the next one. Stray letters stay as they are."""
    built: list[str] = []
    at = 0
    while at < len(jamo):
        if jamo[at] not in _INITIALS or at + 1 >= len(jamo) or jamo[at + 1] not in _MEDIALS:
            built.append(jamo[at])
            at += 1
            continue
        initial, medial, at = jamo[at], jamo[at + 1], at + 2
        if at < len(jamo) and (joined := _JOINED.get(medial + jamo[at])):
            medial, at = joined, at + 1
        final = _take_final(jamo, at)
        built.append(join_syllable(initial, medial, _JOINED.get(final, final)))
        at += len(final)
    return "".join(built)


def _take_final(jamo: list[str], at: int) -> str:
    """The one or two consonants from here that close a syllable, because no vowel follows them."""
    for length in (2, 1):
        taken = "".join(jamo[at : at + length])
        fits = len(taken) == length and _JOINED.get(taken, taken) in _FINALS
        follows = jamo[at + length] if at + length < len(jamo) else ""
        if fits and (not follows or follows not in _MEDIALS):
            return taken
    return ""
