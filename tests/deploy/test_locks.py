"""The locks hold what pyproject.toml names: `make up` and `make test` install nothing else."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMED = {"service": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}


def read_lock(name: str) -> dict[str, str]:
    """Versions by package."""
    lines = (ROOT / "deploy" / "locks" / f"{name}.txt").read_text().splitlines()
    pins = (re.fullmatch(r"(\S+)==(\S+)(?: \\)?", line) for line in lines)
    return {canonicalize_name(pin[1]): pin[2] for pin in pins if pin}


@pytest.mark.parametrize(
    ("lock", "beside"), [("service", ["torch"]), ("embedded", ["service"]), ("dev", ["service", "embedded"])]
)
def test_a_lock_pins_every_package_that_is_named(lock: str, beside: list[str]) -> None:
    pinned = {package: version for name in (lock, *beside) for package, version in read_lock(name).items()}
    for requirement in map(Requirement, NAMED[lock]):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is in no lock; run deploy/lock.py"
        assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}"


@pytest.mark.parametrize("lock", ["build", "service", "embedded", "dev"])
def test_every_pin_but_torch_has_a_hash(lock: str) -> None:
    text = (ROOT / "deploy" / "locks" / f"{lock}.txt").read_text()
    pins = re.findall(r"^\S+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pins) == len(read_lock(lock)) > 0
    assert list(read_lock("torch")) == ["torch"]
