"""What counts as a question that can be taken."""

from core.errors import InvalidInputError
from core.text import clean_text

LONGEST_QUESTION_CHARACTERS = 4_000


def check_question(text: str) -> str:
    """The cleaned question.

    Raises:
        InvalidInputError: nothing readable is left, or it is too long; the message is for the person.
    """
    cleaned = clean_text(text).strip()
    if not any(character.isalnum() for character in cleaned):
        raise InvalidInputError(
            "I could not find a question in that message. Please ask in words. / 질문을 글로 적어 주세요."
        )
    if len(cleaned) > LONGEST_QUESTION_CHARACTERS:
        raise InvalidInputError(
            f"That message has {len(cleaned):,} characters; please ask in at most {LONGEST_QUESTION_CHARACTERS:,}. "
            f"/ {LONGEST_QUESTION_CHARACTERS:,}자 이내로 질문해 주세요."
        )
    return cleaned
