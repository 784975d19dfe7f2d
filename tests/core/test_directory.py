"""One person on several platforms: by their e-mail, where they are an employee on both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.consent import Consents
from core.database import Database
from core.directory import Directory, Person

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SLACK = Person("slack:T0:U0ANN", "member", NOW, email="Ann@Example.com")
TEAMS = Person("teams:t1:ann", "member", NOW, email="ann@example.com")


async def test_employees_with_one_e_mail_are_one_person(database: Database) -> None:
    directory = Directory(database)
    await directory.put_people([SLACK, replace(TEAMS, person="teams:t1:bob", email="bob@example.com")])
    await directory.put_people([TEAMS])
    assert await directory.find_same(TEAMS.person) == [SLACK.person, TEAMS.person]
    assert await directory.find_same("teams:t1:bob") == ["teams:t1:bob"]
    assert await directory.find_same("user:nobody") == ["user:nobody"]


async def test_a_guest_is_nobody_else_whatever_e_mail_they_say_they_have(database: Database) -> None:
    directory = Directory(database)
    await directory.put_people([SLACK, replace(TEAMS, kind="guest")])
    assert await directory.find_same(TEAMS.person) == [TEAMS.person]
    assert await directory.find_same(SLACK.person) == [SLACK.person]


async def test_who_gets_another_e_mail_leaves_the_other(database: Database) -> None:
    directory, later = Directory(database), NOW + timedelta(hours=1)
    await directory.put_people([SLACK, TEAMS])
    await directory.put_people([replace(SLACK, email="new@example.com", changed_at=later)])
    assert await directory.find_same(SLACK.person) == [SLACK.person]
    assert await directory.find_same(TEAMS.person) == [TEAMS.person]


async def test_what_a_person_said_last_of_learning_holds_on_every_platform(database: Database) -> None:
    directory, consents = Directory(database), Consents(database)
    await consents.set(SLACK.person, allows_training=False)
    await directory.put_people([SLACK])
    assert await consents.allows_training(TEAMS.person)
    await directory.put_people([TEAMS])
    assert not await consents.allows_training(TEAMS.person)
    await consents.set(TEAMS.person, allows_training=True)
    assert await consents.allows_training(SLACK.person)
