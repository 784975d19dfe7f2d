"""What a word may have been meant to be: near spellings, and how far two spellings are apart."""

import string

from retrieval.query_keyboard import split_jamo, vary_syllable

# Shorter words have too many neighbours that are words of their own.
SHORTEST_LATIN = 5
SHORTEST_FOR_TWO = 7
LONGEST = 24


def vary_latin(word: str) -> set[str]:
    """Every spelling one edit away: a letter left out, swapped with the next, replaced or added."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    letters = string.ascii_lowercase
    varied = {left + right[1:] for left, right in cuts if right}
    varied |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    varied |= {left + letter + right[1:] for left, right in cuts if right for letter in letters}
    varied |= {left + letter + right for left, right in cuts for letter in letters}
    return varied - {word}


def vary_korean(word: str) -> set[str]:
    """Every spelling in which one syllable has one other letter, or two neighbours are swapped."""
    varied = {
        word[:at] + other + word[at + 1 :] for at, syllable in enumerate(word) for other in vary_syllable(syllable)
    }
    varied |= {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    return varied - {word}


def measure_distance(one: str, other: str, *, most: int) -> int:
    """Edits between two spellings, a swap of neighbours being one, Korean by letters; `most` + 1 where there are more.

    Source: optimal string alignment, the restricted form of Damerau 1964.
    """
    one, other = split_jamo(one), split_jamo(other)
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, against in enumerate(other, start=1):
            cost = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > most:
            return most + 1
        before, last = last, line
    return min(last[-1], most + 1)
