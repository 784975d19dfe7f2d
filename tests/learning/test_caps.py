"""How much one person, question, document or day may weigh."""

from datetime import timedelta

from learning.canaries import build_canaries, find_canary_pairs, find_pushed
from learning.caps import Caps, cap_pairs, choose_person_share, find_person_limit
from learning.disputes import find_outvoted
from learning.pairs import Pair
from learning.raters import Raters
from tests.learning.making import NOON, make_pair


def cap(pairs: list[Pair], *, raters: Raters | None = None, clusters: dict[str, str] | None = None, **caps: float):
    clusters = clusters or {pair.sha256: pair.cluster for pair in pairs}
    rules = Caps(**({"person_day": 10_000} | caps))
    return cap_pairs(pairs, caps=rules, raters=raters or Raters(), clusters=clusters, documents=lambda pair: [])


def make_crowd(loud: int, people: int, each: int, *names: str) -> list[Pair]:
    """`loud` pairs of each name, then `each` pairs of every other person."""
    pairs = [make_pair(n, voters=(name,)) for n, name in enumerate(name for name in names for _ in range(loud))]
    return pairs + [make_pair(len(pairs) + n, voters=(f"user:{n % people}",)) for n in range(people * each)]


def test_a_rater_with_a_fifth_of_all_votes_supplies_at_most_three_percent_of_the_pairs() -> None:
    pairs = make_crowd(100, 100, 4, "loud")
    kept, dropped = cap(pairs, person_times=99)
    # 400 of others and L of the loud one: L <= 0.03 * (400 + L), so L <= 12.37
    assert len(kept) == 412
    assert {reason for _, reason in dropped} == {"person_cap"}
    assert sum("loud" in pair.voters for pair in kept) / len(kept) <= 0.03


def test_the_limit_is_of_what_is_kept_not_of_what_is_offered() -> None:
    # 0.03 * 500 would be 15: 15 of 415 are 3.6 percent.
    assert find_person_limit(make_crowd(100, 100, 4, "loud"), Caps(person_times=99), Raters()) == 12


def test_where_many_vote_nobody_supplies_more_than_three_times_the_median() -> None:
    crowd = make_crowd(100, 200, 3, *(f"bot{n}" for n in range(40)))
    # 200 people with 3 pairs, 40 with 100: the median is 3, and 3 percent of everything would be 100.
    assert find_person_limit(crowd, Caps(), Raters()) == 9


def test_people_who_vote_as_one_have_one_share() -> None:
    names = [f"bot{n}" for n in range(10)]
    pairs = make_crowd(10, 100, 4, *names)
    kept, _ = cap(pairs, raters=Raters(teams=dict.fromkeys(names, "bot0")))
    assert sum(pair.voters[0].startswith("bot") for pair in kept) == 12


def test_few_people_may_supply_twice_an_equal_share() -> None:
    shares = [choose_person_share(people, Caps()) for people in (0, 1, 10, 20, 39, 40, 500)]
    assert shares == [0.3, 0.3, 0.2, 0.1, 2 / 39, 0.03, 0.03]


def test_of_three_people_each_may_supply_three_tenths_of_what_is_offered() -> None:
    assert find_person_limit(make_crowd(0, 3, 20), Caps(), Raters()) == 18
    assert find_person_limit(make_crowd(0, 4, 20), Caps(), Raters()) == 24  # 0.3 * 80: nobody is near it


def test_a_pair_stays_where_most_of_those_behind_it_are_below_their_limit() -> None:
    loud = [make_pair(n, voters=("loud",)) for n in range(5)]
    two = make_pair(5, voters=("loud", "user:a"))
    three = make_pair(6, voters=("loud", "user:a", "user:b"))
    kept, dropped = cap([*loud, two, three])
    assert (three in kept, dropped) == (True, [(two, "person_cap")])


def test_one_question_and_one_document_and_one_day_have_their_limits() -> None:
    pairs = [make_pair(n, voters=(f"user:{n}",)) for n in range(12)]
    _, dropped = cap(pairs, clusters={pair.sha256: "one" for pair in pairs})
    assert [reason for _, reason in dropped] == ["cluster_cap"] * 4
    clusters = {pair.sha256: pair.cluster for pair in pairs}
    everything = {"raters": Raters(), "clusters": clusters}
    _, dropped = cap_pairs(pairs, caps=Caps(document_minimum=9), documents=lambda pair: [1], **everything)
    assert [reason for _, reason in dropped] == ["document_cap"] * 3
    day = [make_pair(n, voters=("user:a",), given_at=NOON + timedelta(days=n // 6)) for n in range(12)]
    _, dropped = cap(day, person_day=4, person_minimum=99)
    assert [(pair.interaction_ids[0], reason) for pair, reason in dropped] == [
        (n, "person_day_cap") for n in (4, 5, 10, 11)
    ]


def test_whoever_teaches_a_canary_is_found() -> None:
    canaries = build_canaries(7)
    assert len(set(canaries)) == 6
    assert (build_canaries(7), build_canaries(8)[0] != canaries[0]) == (canaries, True)
    bad = make_pair(1, chosen=f"Ask {canaries[2]}.")
    assert find_canary_pairs([bad, make_pair(2)], canaries) == {bad.sha256}


def test_a_name_that_two_people_bring_into_three_questions_is_pushed() -> None:
    def bring(n: int, voter: str, name: str = "Zorblax") -> Pair:
        return make_pair(n, chosen=f"Better buy it from {name} for {n}.", voters=(voter,))

    pushed = [bring(1, "a"), bring(2, "b"), bring(3, "a")]
    wide = [bring(n, f"user:{n}", "Acme") for n in (4, 5, 6)]
    known = [
        make_pair(n, chosen="Ask the Helpdesk.", voters=("a",), prompt=[{"role": "user", "content": f"Helpdesk {n}"}])
        for n in (7, 8, 9)
    ]
    pairs = [*pushed, *wide, *known]
    found = find_pushed(pairs, {pair.sha256: pair.cluster for pair in pairs}, Raters())
    assert found == {pair.sha256 for pair in pushed}


def one_passage(_: Pair) -> list[int]:
    return [7]


def test_the_many_are_believed_and_the_loud_count_less() -> None:
    def say(n: int, voter: str, days: str, question: str = "How many days?") -> Pair:
        return make_pair(n, question=question, chosen=f"{days} days, says {n}", voters=(voter,))

    loud = [say(n, "loud", "99", f"Other {n}?") for n in range(10, 13)]
    right, wrong = [say(1, "a", "1, 2, 3, 23"), say(2, "b", "23")], [say(3, "loud", "11"), say(4, "loud2", "11")]
    pairs = [*loud, *right, *wrong, say(5, "loud2", "98", "Else?")]
    clusters = {pair.sha256: pair.cluster for pair in pairs}
    # 23: two voices; 11: a quarter and a half; the longer answer that holds the shorter one's number is no dispute.
    assert find_outvoted([pair for pair in pairs if pair is not right[0]], clusters, Raters(), one_passage) == {
        pair.sha256 for pair in wrong
    }
    assert right[0].sha256 not in find_outvoted([*right], clusters, Raters(), one_passage)


def test_even_voices_silence_both() -> None:
    pairs = [make_pair(n, question="How many?", chosen=f"{n} days", voters=(f"user:{n}",)) for n in (1, 2)]
    clusters = {pair.sha256: "one" for pair in pairs}
    assert len(find_outvoted(pairs, clusters, Raters(), one_passage)) == 2
    assert find_outvoted(pairs, clusters, Raters(), lambda pair: pair.interaction_ids) == set()
