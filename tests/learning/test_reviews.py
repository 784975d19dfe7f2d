"""What people say of pairs: edits are read like any other text, and a sample speaks for what nobody saw."""

import pytest

from learning.curate import Curated
from learning.pairs import Pair
from learning.reviews import Review, Sampled, Verdict, apply_reviews, waits
from tests.learning.making import make_pair


def review(pair: Pair, verdict: Verdict, chosen: str | None = None) -> dict[str, Review]:
    return {pair.sha256: Review(pair.sha256, verdict, chosen)}


def test_personal_data_in_an_edit_becomes_placeholders_and_is_counted() -> None:
    pair = make_pair(1)
    told = review(pair, "edit", "ask at kim@rival.co.kr about the apples")
    curated = apply_reviews(Curated(kept=[pair]), told, share=0)
    assert [one.chosen for one in curated.kept] == ["ask at (e-mail) about the apples"]
    assert (curated.private["e-mail"], curated.kept[0].why) == (1, ("review:edited",))


def test_an_edit_of_an_edit_is_followed_by_its_redacted_words() -> None:
    pair = make_pair(1)
    first = make_pair(1, chosen="ask (e-mail)")
    reviews = review(pair, "edit", "ask kim@rival.co.kr") | review(first, "edit", "ask the desk")
    assert apply_reviews(Curated(kept=[pair]), reviews, share=0).kept[0].chosen == "ask the desk"


def test_an_edit_with_a_fact_that_the_prompt_lacks_does_not_train() -> None:
    pair = make_pair(1, prompt=[{"role": "user", "content": "Leave is 23 days."}])
    for chosen, reasons in (("25 days", ["edit_unsupported"]), ("23 days", [])):
        curated = apply_reviews(Curated(kept=[pair]), review(pair, "edit", chosen), share=0)
        assert [reason for _, reason in curated.dropped] == reasons


@pytest.mark.parametrize(("right", "wrong", "most"), [(0, 4, 0.4899), (1, 9, 0.4042), (9, 1, 0.9821)])
def test_the_interval_of_a_sample_is_wilson_s(right: int, wrong: int, most: float) -> None:
    assert Sampled(right, wrong).most == pytest.approx(most, abs=1e-3)


def sample(count: int) -> tuple[list[Pair], list[Pair]]:
    """Pairs that a tenth of which waits: those that do, and the rest."""
    pairs = [make_pair(n, origin="distractor") for n in range(count)]
    return [one for one in pairs if waits(one.sha256, 0.1)], [one for one in pairs if not waits(one.sha256, 0.1)]


def test_an_origin_whose_sample_is_rejected_is_left_out_and_others_are_not() -> None:
    seen, unseen = sample(60)
    other = make_pair(99)
    reviews = {key: one for pair in seen for key, one in review(pair, "reject").items()}
    assert (len(seen) >= 4, waits(other.sha256, 0.1)) == (True, False)
    curated = apply_reviews(Curated(kept=[*seen, *unseen, other]), reviews, share=0.1)
    assert curated.kept == [other]
    assert {reason for pair, reason in curated.dropped if pair in unseen} == {"origin_rejected"}
    assert curated.sampled == {"distractor": Sampled(0, len(seen))}


def test_pairs_that_people_picked_themselves_say_nothing_of_the_rest() -> None:
    _, unseen = sample(60)
    picked, rest = unseen[:20], unseen[20:]
    reviews = {key: one for pair in picked for key, one in review(pair, "reject").items()}
    curated = apply_reviews(Curated(kept=[*picked, *rest]), reviews, share=0.1)
    assert (curated.kept, curated.sampled) == (rest, {})


def test_an_approved_pair_of_a_poor_origin_trains() -> None:
    seen, unseen = sample(80)
    reviews = {key: one for pair in seen for key, one in review(pair, "reject").items()}
    curated = apply_reviews(Curated(kept=[*seen, *unseen]), reviews | review(unseen[0], "approve"), share=0.1)
    assert [pair.sha256 for pair in curated.kept] == [unseen[0].sha256]
