"""`nightbake people`: groups decide what a person reads, from the next question on."""

from pathlib import Path

from tests.cli.conftest import QUESTION
from tests.cli.running import run_nightbake
from tests.fakes.model_server import FakeModelServer


def test_groups_are_set_listed_and_taken_away(installation: FakeModelServer) -> None:
    ran = run_nightbake("people", "set", "user:ann", "hr", "team:[/x]", "--json")
    assert ran.json == {"person": "user:ann", "groups": ["group:hr", "team:[/x]"]}
    run_nightbake("people", "set", "user:bo", "hr")
    listed = run_nightbake("people", "list", "--json").json["people"]
    assert [(row["person"], row["groups"]) for row in listed] == [
        ("user:ann", ["group:hr", "team:[/x]"]),
        ("user:bo", ["group:hr"]),
    ]
    human = run_nightbake("people", "list")
    assert (human.code, "user:ann" in human.out, "group:hr, team:[/x]" in human.out) == (0, True, True)
    assert run_nightbake("people", "set", "user:ann").err == "user:ann: no groups\n"
    assert [row["person"] for row in run_nightbake("people", "list", "--json").json["people"]] == ["user:bo"]


def test_without_groups_the_list_says_how_to_begin(installation: FakeModelServer) -> None:
    ran = run_nightbake("people", "list")
    assert (ran.code, "nightbake people set PERSON GROUP" in ran.out) == (0, True)


def test_a_person_reads_what_the_group_may_read_until_it_is_taken_away(
    installation: FakeModelServer, documents: Path
) -> None:
    (documents / ".access.json").write_text('{"allow": ["group:hr"]}')
    run_nightbake("ingest", str(documents))
    found = []
    for groups in ([], ["hr"], []):
        run_nightbake("people", "set", "user:ann", *groups)
        found.append(len(run_nightbake("ask", QUESTION, "--as", "user:ann", "--json").json["sources"]))
    assert found == [0, 1, 0]


def test_a_person_is_forgotten_with_a_receipt_once_it_is_confirmed(installation: FakeModelServer) -> None:
    run_nightbake("ask", QUESTION, "--as", "user:kim")
    assert run_nightbake("people", "forget", "user:kim").code != 0
    receipt = run_nightbake("people", "forget", "user:kim", "--yes", "--json").json
    assert (receipt["number"], receipt["log"]["questions"], receipt["adapters"]) == (1, 1, [])
    again = run_nightbake("people", "forget", "user:kim", "--yes")
    assert (again.code, again.err) == (0, "nothing to forget\n")


def test_a_person_is_signed_out_and_it_is_on_record(installation: FakeModelServer) -> None:
    ran = run_nightbake("people", "sign-out", "ann@example.com", "--json")
    assert ran.json == {"person": "ann@example.com", "sessions": 0}


def test_a_link_to_the_console_is_another_each_time(installation: FakeModelServer) -> None:
    links = [run_nightbake("console-link", "--json").json["address"] for _ in range(2)]
    reviewer = run_nightbake("console-link", "--role", "reviewer", "--json").json["address"]
    assert (links[0] == links[1], "/console?token=" in links[0], "/console/pairs?token=" in reviewer) == (
        False,
        True,
        True,
    )
