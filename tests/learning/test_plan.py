"""Where a night trains and how long: what people notice least, and always done before the deadline."""

from datetime import UTC, datetime, timedelta

import pytest

from learning.plan import (
    Gpu,
    NoRoomError,
    NoTimeError,
    Way,
    choose_way,
    estimate_need,
    find_deadline,
    find_train_seconds,
)

FULL, ROOMY = Gpu(0, 80, 6), Gpu(0, 80, 40)
SECOND = Gpu(1, 80, 79)
NIGHT = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
"""02:00 on the 22nd in Seoul."""


@pytest.mark.parametrize(
    ("gpus", "can_sleep", "can_restart", "way", "chosen"),
    [
        ([], True, True, "beside", ()),
        ([ROOMY, SECOND], True, True, "beside", (0,)),
        ([FULL, SECOND], True, True, "second", (1,)),
        ([FULL, Gpu(1, 24, 20), Gpu(2, 24, 9), Gpu(3, 24, 22)], True, True, "second", (1, 3)),
        ([FULL], True, True, "sleep", (0,)),
        ([FULL, Gpu(1, 80, 3)], True, False, "sleep", (0,)),
        ([FULL], False, True, "restart", (0,)),
    ],
)
def test_what_people_notice_least_is_chosen(
    gpus: list[Gpu], can_sleep: bool, can_restart: bool, way: Way, chosen: tuple[int, ...]
) -> None:
    assert choose_way("auto", gpus, 30, can_sleep=can_sleep, can_restart=can_restart) == (way, chosen)


def test_a_wish_is_taken_where_it_can_be() -> None:
    assert choose_way("sleep", [ROOMY, SECOND], 30, can_sleep=True, can_restart=True) == ("sleep", (0,))


@pytest.mark.parametrize(
    ("wish", "gpus"), [("auto", [FULL]), ("second", [ROOMY]), ("sleep", [ROOMY]), ("restart", []), ("beside", [FULL])]
)
def test_no_room_says_what_was_seen_and_what_to_do(wish: str, gpus: list[Gpu]) -> None:
    with pytest.raises(NoRoomError, match=r"expected room for 30 GiB .* MODEL_STOP_COMMAND"):
        choose_way(wish, gpus, 30, can_sleep=False, can_restart=False)


@pytest.mark.parametrize(
    ("done_by", "expected"),
    [("06:00", datetime(2026, 11, 21, 21, 0, tzinfo=UTC)), ("01:30", datetime(2026, 11, 22, 16, 30, tzinfo=UTC))],
)
def test_the_deadline_is_the_next_such_moment_in_its_zone(done_by: str, expected: datetime) -> None:
    assert find_deadline(done_by, "Asia/Seoul", NIGHT) == expected


def test_without_a_deadline_training_takes_what_it_may() -> None:
    assert find_deadline(None, "UTC", NIGHT) is None
    assert find_train_seconds(NIGHT, None, most=3600, after=600) == 3600


@pytest.mark.parametrize(("hours", "seconds"), [(4, 3600), (1, 3000)])
def test_training_ends_early_enough_for_what_comes_after(hours: int, seconds: float) -> None:
    assert find_train_seconds(NIGHT, NIGHT + timedelta(hours=hours), most=3600, after=600) == seconds


def test_too_little_time_is_no_training() -> None:
    with pytest.raises(NoTimeError, match="50 s are left"):
        find_train_seconds(NIGHT, NIGHT + timedelta(seconds=650), most=3600, after=600)


def test_training_needs_the_weights_and_half_of_them_and_a_floor() -> None:
    assert (estimate_need(16 * 2**30), estimate_need(16 * 2**30, bits=4)) == (28, 16)
