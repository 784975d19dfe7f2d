"""Who shares a pace with whom."""

from bot.slack.pace import SharedPaces


def test_pieces_in_one_channel_leave_the_others_their_pace() -> None:
    paces = SharedPaces(lambda: 100.0)
    assert [paces.find("T0HOME", channel).appends.take() for channel in ("C0HR", "C0HR", "D0ANN")] == [
        True,
        False,
        True,
    ]


def test_edits_share_the_pace_of_their_workspace_as_slack_counts_them() -> None:
    paces = SharedPaces(lambda: 100.0)
    places = [("T0HOME", "C0HR"), ("T0HOME", "D0ANN"), ("T0OTHER", "C0HR")]
    assert [paces.find(*place).edits.take() for place in places] == [True, False, True]


def test_pieces_need_not_wait_for_edits() -> None:
    paces = SharedPaces(lambda: 100.0).find("T0HOME", "C0HR")
    assert (paces.edits.take(), paces.appends.take()) == (True, True)
