"""`nightbake gaps list`: what was asked in vain."""

import os

import psycopg

from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer


def test_what_was_asked_in_vain_is_counted_by_topic(installation: FakeModelServer) -> None:
    for question in ("Parking for visitors?", "Is there [/b] a gym?", "visitors: parking"):
        assert run_nightbake("ask", question).code == 0
    topics = run_nightbake("gaps", "list", "--json").json["gaps"]
    assert [(topic["asked"], topic["question"]) for topic in topics] == [
        (2, "visitors: parking"),
        (1, "Is there [/b] a gym?"),
    ]
    assert [topic["question"] for topic in run_nightbake("gaps", "list", "--limit", "1", "--json").json["gaps"]] == [
        "visitors: parking"
    ]
    human = run_nightbake("gaps", "list")
    assert (human.code, "Is there [/b] a gym?" in human.out) == (0, True)


def test_what_is_older_than_wanted_is_left_out(installation: FakeModelServer) -> None:
    run_nightbake("ask", "Parking for visitors?")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("UPDATE gaps SET filed_at = now() - make_interval(days => 10)")
    recent, all_of_them = (run_nightbake("gaps", "list", "--days", days, "--json").json["gaps"] for days in ("9", "11"))
    assert (recent, len(all_of_them)) == ([], 1)
    assert run_nightbake("gaps", "list", "--days", "9").out == "no gaps yet\n"
