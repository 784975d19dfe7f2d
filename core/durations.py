"""How long something took, as people say it."""

from core.prompt import Language

_UNITS: dict[Language, tuple[str, str, str]] = {"en": (" h", " min", " s"), "ko": ("시간", "분", "초")}
# Below this a tenth of a second is worth saying.
EXACT_SECONDS = 10


def say_duration(seconds: float, language: Language) -> str:
    """`4.2 s`, `21 min 3 s`, `2 h 5 min`; `4.2초`, `21분 3초`, `2시간 5분`."""
    hour, minute, second = _UNITS[language]
    if round(seconds, 1) < EXACT_SECONDS:
        return f"{seconds:.1f}{second}" if seconds else f"0{second}"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest}{second}"
    hours, left = divmod(round(seconds / 60), 60)
    parts = [(hours, hour), (left, minute)] if minutes >= 60 else [(minutes, minute), (rest, second)]
    return " ".join(f"{number}{unit}" for number, unit in parts if number)
