"""Which code is running: the commit where that is known, else the version of the package. Never a failure."""

import json
import subprocess
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

PACKAGE = "nightbake"
ROOT = Path(__file__).parent.parent
UNKNOWN = "unknown"
GIT_SECONDS = 5
# In front of the commit of a checkout whose tracked files differ from it.
CHANGED = "changed-"


def find_version() -> str:
    """The package's version; `unknown` for code that was copied here without being installed."""
    installed = _find_package()
    return installed.version if installed else UNKNOWN


def find_commit(root: Path = ROOT) -> str | None:
    """The commit that the code was installed from, or that is checked out; None where neither is known."""
    return _read_installed() or _ask_git(root)


def _find_package() -> Distribution | None:
    try:
        return distribution(PACKAGE)
    except PackageNotFoundError:
        return None


def _read_installed() -> str | None:
    """What pip noted when it installed from a repository (PEP 610)."""
    installed = _find_package()
    noted = installed.read_text("direct_url.json") if installed else None
    try:
        return json.loads(noted or "{}").get("vcs_info", {}).get("commit_id")
    except ValueError:
        return None


def _ask_git(root: Path) -> str | None:
    """The checkout's commit, where `root` is one and not a folder inside somebody else's."""
    try:
        top, commit = _git(root, "rev-parse", "--show-toplevel", "HEAD").split("\n")
        if Path(top).resolve() != root.resolve():
            return None
        return f"{CHANGED if _git(root, 'status', '--porcelain', '--untracked-files=no') else ''}{commit}"
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=True, timeout=GIT_SECONDS)
    return done.stdout.decode().strip()
