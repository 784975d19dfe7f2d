"""Progress where nobody looks at a terminal: lines, not too many, and none where only JSON is wanted."""

import pytest

from cli.night import NightProgress
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


async def test_a_night_tells_its_steps_by_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    with NightProgress(quiet=False, line_seconds=0.0) as shown:
        await shown.show({"event": "stage", "stage": "train"})
        await shown.show({"event": "step", "step": 2, "steps": 80, "loss": 0.5})
    assert capsys.readouterr().err.splitlines()[1:] == ["  training: 2 of 80"]
