"""What the doctor says of a part of a platform's installation."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the installation: how it is, and what to click unless it is ok."""

    part: str
    status: Literal["ok", "note", "problem"]
    detail: str
