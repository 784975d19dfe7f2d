"""What is trained on in which order, worked out by hand."""

import json
from typing import Any

import pytest

from core.errors import InvalidInputError
from learning.exercises.draft import Kind
from learning.exercises.learnable import Lesson
from learning.general import read_general
from learning.mix import MOST_REPEATS, PHASES, divide, lay_out, plan_mix


def make_lesson(number: int, kind: Kind = "rag", **changes: Any) -> Lesson:
    question = f"What of {number}?"
    values: dict[str, Any] = {
        "exercise_id": number,
        "sha256": f"{number:064d}",
        "kind": kind,
        "language": "en",
        "question": question,
        "subject": question,
        "prompt": [{"role": "user", "content": question}],
        "answer": f"It is {number}.",
        "wrong": (),
        "access": (("everyone",),),
        "documents": ((number, 1),),
        "source_id": number,
    }
    return Lesson(**values | changes)


LESSONS = [make_lesson(n, kind) for n, kind in enumerate(("rag", "definition", "unanswerable", "summary", "rag"))]


def test_what_documents_say_comes_before_how_to_answer_and_half_is_general() -> None:
    parts = plan_mix(LESSONS, general=20, seed=1)
    assert [(part.phase, len(part.lessons), len(part.general)) for part in parts] == [("domain", 2, 2), ("task", 3, 3)]
    rows = lay_out(parts, [f"chat {n}" for n in range(20)])
    kinds = [row.kind if isinstance(row, Lesson) else "general" for row in rows]
    assert len(rows) == 10 and kinds.count("general") == 5
    assert set(kinds[:4]) <= {*PHASES["domain"], "general"} and set(kinds[4:]) <= {*PHASES["task"], "general"}


def test_each_pass_of_a_phase_holds_every_exercise_once() -> None:
    (part,) = plan_mix([make_lesson(n) for n in range(7)], general=0, epochs=3, seed=2)
    ids = [lesson.exercise_id for lesson in part.lessons]
    assert [sorted(ids[at : at + 7]) for at in (0, 7, 14)] == [list(range(7))] * 3
    assert ids[:7] != ids[7:14]


def test_few_general_chats_are_not_learnt_by_heart() -> None:
    (part,) = plan_mix([make_lesson(n) for n in range(100)], general=3, seed=0)
    assert len(part.general) == 3 * MOST_REPEATS
    # Every one before any of them again.
    assert [sorted(part.general[at : at + 3]) for at in range(0, 12, 3)] == [[0, 1, 2]] * 4


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.2, 3), (0.5, 12), (0.75, 36)])
def test_the_share_is_of_all_rows(share: float, expected: int) -> None:
    (part,) = plan_mix([make_lesson(n) for n in range(12)], general=100, general_share=share)
    assert len(part.general) == expected


def test_the_same_seed_gives_the_same_order_whatever_order_came_in() -> None:
    one, other = (plan_mix(lessons, general=9, seed=5) for lessons in (LESSONS, LESSONS[::-1]))
    assert one == other != plan_mix(LESSONS, general=9, seed=6)


def test_overlap_runs_from_two_halves_to_all_in_both() -> None:
    lessons = [make_lesson(n) for n in range(400)]
    for overlap, each, both in ((0.0, 200, 0), (0.5, 300, 200), (1.0, 400, 400)):
        supervised, preferred = divide(lessons, overlap=overlap)
        shared = {one.exercise_id for one in supervised} & {one.exercise_id for one in preferred}
        assert len(supervised) == pytest.approx(each, abs=30) and len(preferred) == pytest.approx(each, abs=30)
        assert len(shared) == pytest.approx(both, abs=30)
        assert {one.exercise_id for one in [*supervised, *preferred]} == set(range(400))


def test_our_own_chats_are_in_both_languages_and_each_once() -> None:
    chats = read_general()
    assert min([one.language for one in chats].count(language) for language in ("en", "ko")) >= 20
    assert len({one.prompt[-1]["content"] for one in chats}) == len(chats)


def test_chats_of_a_file_come_beside_our_own(tmp_path: Any) -> None:
    file = tmp_path / "general.jsonl"
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    lines = [
        {"messages": [*turns, {"role": "assistant", "content": "Hello."}]},
        {"prompt": "One?", "completion": "Two."},
    ]
    file.write_text("\n\n".join(json.dumps(line) for line in lines))
    added = read_general([file])[len(read_general()) :]
    assert [(one.prompt[-1]["content"], one.answer) for one in added] == [("Hi", "Hello."), ("One?", "Two.")]
    assert added[0].prompt == turns


@pytest.mark.parametrize("line", ["{", "[]", '{"messages": []}', '{"prompt": "One?", "completion": " "}'])
def test_a_line_that_is_no_chat_is_named(tmp_path: Any, line: str) -> None:
    file = tmp_path / "general.jsonl"
    file.write_text('{"prompt": "One?", "completion": "Two."}\n' + line)
    with pytest.raises(InvalidInputError, match=r"general\.jsonl:2"):
        read_general([file])
