"""How long something took, as people say it."""

from core.prompt import Language

_UNITS: dict[Language, tuple[str, str, str]] = {"en": (" h", " min", " s"), "ko": ("시간", "분", "초")}


def say_duration(seconds: float, language: Language) -> str:
    """The two largest units of a duration; the smaller is left out where it is 0."""
    whole = round(seconds)
    # Beside hours nobody counts seconds.
    if whole >= 3600:
        whole = 60 * round(whole / 60)
    amounts = (whole // 3600, whole % 3600 // 60, whole % 60)
    said = [f"{amount}{unit}" for amount, unit in zip(amounts, _UNITS[language], strict=True) if amount]
    return " ".join(said) or f"0{_UNITS[language][-1]}"
