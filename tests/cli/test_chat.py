"""`nightbake chat`: questions and votes line by line, from a file and from a terminal."""

import os
import pty
import select
import signal
import time

import psycopg
import pytest

from tests.cli.conftest import ANSWER, QUESTION
from tests.cli.running import run_nightbake, start_nightbake
from tests.fakes.model_server import FakeModelServer


def find_votes() -> list[tuple[str, int, str | None]]:
    votes = run_nightbake("feedback", "list", "--json").json["votes"]
    return [(vote["person"], vote["value"], vote["correction"]) for vote in votes]


def test_questions_and_votes_are_one_json_line_each(filled: FakeModelServer) -> None:
    lines = [QUESTION, "/up", "/down", "/fix  It is 25 days. ", "/undo", ""]
    ran = run_nightbake("chat", "--json", "--as", "user:ann", typed="\n".join(lines))
    answer, *votes = ran.json_lines
    assert (ran.code, ran.err, answer["answer"], answer["mode"]) == (0, "", ANSWER, "generated")
    assert [(vote["interaction_id"], vote["value"], vote["correction"]) for vote in votes] == [
        (answer["interaction_id"], 1, None),
        (answer["interaction_id"], -1, None),
        (answer["interaction_id"], -1, "It is 25 days."),
        (answer["interaction_id"], 0, None),
    ]
    assert find_votes() == []


def test_people_read_the_answer_once_and_remarks_beside_it(filled: FakeModelServer) -> None:
    ran = run_nightbake("chat", "--as", "user:ann", typed=f"{QUESTION}\n/fix It is 25 days.\n")
    assert (ran.code, ran.out.count(ANSWER), "[1] Leave policy > Annual leave" in ran.out) == (0, 1, True)
    assert ("noted, thank you" in ran.err, "noted" in ran.out) == (True, False)
    assert find_votes() == [("user:ann", -1, "It is 25 days.")]


def test_a_vote_is_for_the_last_answer(filled: FakeModelServer) -> None:
    ran = run_nightbake("chat", "--json", typed=f"{QUESTION}\n/up\n{QUESTION}\n/down\n")
    first, up, second, down = ran.json_lines
    assert (up["interaction_id"], down["interaction_id"]) == (first["interaction_id"], second["interaction_id"])


def test_questions_of_one_chat_are_one_conversation(filled: FakeModelServer) -> None:
    run_nightbake("chat", typed=f"{QUESTION}\nAnd for interns?\n")
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT standalone_question, conversation_key FROM interactions ORDER BY id"
        ).fetchall()
    assert [question for question, _ in rows] == [QUESTION, f"{QUESTION} — And for interns?"]
    assert len({key for _, key in rows}) == 1


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("/up", "there is no answer to vote on yet"),
        ("/fix", "expected the right answer behind /fix, got nothing"),
        ("/better", "expected one of the commands, got '/better'"),
        ("?!", "could not find a question"),
    ],
)
def test_a_line_that_cannot_be_taken_is_said_and_the_next_is_read(
    filled: FakeModelServer, line: str, advice: str
) -> None:
    ran = run_nightbake("chat", "--json", typed=f"{line}\n{QUESTION}\n")
    refused, answer = ran.json_lines
    assert (ran.code, advice in refused["error"], refused["kind"]) == (0, True, "InvalidInputError")
    assert answer["answer"] == ANSWER
    human = run_nightbake("chat", typed=f"{line}\n")
    assert (human.code, human.out, advice in human.err.replace("\n", " ")) == (0, "", True)


def test_quit_ends_it_before_the_input_does(filled: FakeModelServer) -> None:
    ran = run_nightbake("chat", "--json", typed=f"/quit\n{QUESTION}\n")
    assert (ran.code, ran.out) == (0, "")


def read_until(terminal: int, text: str, *, seconds: float = 100) -> str:
    """What a terminal shows until it holds a text, or its program has ended."""
    shown, deadline = "", time.monotonic() + seconds
    while text not in shown:
        assert time.monotonic() < deadline, f"{text!r} did not come, but {shown!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown


@pytest.mark.timeout(300)
def test_a_terminal_answers_and_control_c_ends_it_at_once(filled: FakeModelServer) -> None:
    ours, theirs = pty.openpty()
    with start_nightbake("chat", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        read_until(ours, "> ")
        os.write(ours, f"{QUESTION}\n".encode())
        assert "23 days of annual leave" in read_until(ours, "\n> ")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "stopped" in read_until(ours, "stopped")
    os.close(ours)
    os.close(theirs)
