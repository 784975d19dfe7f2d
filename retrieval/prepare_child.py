"""Reading and cutting files in a child process, so that neither holds up the encoder or a question.

Started by `preparer.py`. It is greeted with a line of JSON (`tokenizer`, `languages`, `max_tokens`, `words`).
It answers a file with its document, then a line for each chunk: no more than one chunk's terms are in its memory.
"""

import json
import os
import sys

from core.prompt import detect_language
from retrieval.formats.child import Answer, allow_seconds, serve
from retrieval.formats.registry import extract
from retrieval.lexical import keep_whole
from retrieval.prepare import count_terms, cut_extracted
from retrieval.tokens import TokenCounter

# Of computing, for cutting a file and finding its terms: of Korean, the longest text takes some minutes.
CUT_SECONDS = 900
_NICENESS = 5


class _Cutter:
    """What is done with every file."""

    def __init__(self, counter: TokenCounter, max_tokens: int) -> None:
        self._counter = counter
        self._max_tokens = max_tokens

    def answer(self, content: bytes, path: str) -> Answer:
        extracted = extract(content, path)
        allow_seconds(CUT_SECONDS)
        cut = cut_extracted(extracted, count_tokens=self._counter.count, max_tokens=self._max_tokens)
        yield {
            "title": cut.title,
            "language": cut.language,
            "recipe": cut.recipe,
            "text": cut.text,
            "sensitivity": extracted.sensitivity,
            "changed_at": extracted.changed_at and extracted.changed_at.isoformat(),
            "left_out": [[part.name, part.reason] for part in extracted.left_out],
            "more": len(cut.chunks),
        }
        for chunk in cut.chunks:
            yield {
                "place": [chunk.heading_path, chunk.page, chunk.start, chunk.end],
                "language": detect_language(chunk.text),
                "terms": count_terms(cut.title, chunk),
            }


def main(memory_bytes: int, cpu_seconds: int) -> None:
    """Be greeted, then answer until stdin ends."""
    # A question goes before bulk work.
    os.nice(_NICENESS)
    # The cores are the encoder's: the tokenizer starts a thread for each of them otherwise.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    greeting = json.loads(sys.stdin.buffer.readline())
    keep_whole(greeting["words"])
    cutter = _Cutter(TokenCounter(greeting["tokenizer"], greeting["languages"]), greeting["max_tokens"])
    serve(cutter.answer, memory_bytes, cpu_seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
