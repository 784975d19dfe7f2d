"""Progress where nobody looks at a terminal: lines, not too many, and none where only JSON is wanted."""

import pytest

from cli.progress import count_progress


@pytest.mark.parametrize(("quiet", "seconds", "said"), [(False, 0.0, [1, 2, 3]), (False, 60.0, []), (True, 0.0, [])])
def test_steps_are_told_by_lines(
    quiet: bool, seconds: float, said: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    with count_progress("asking", 3, quiet=quiet, line_seconds=seconds) as advance:
        for _ in range(3):
            advance()
    captured = capsys.readouterr()
    assert (captured.out, captured.err.splitlines()) == ("", [f"asking: {number} of 3" for number in said])
