"""A tiny model, once a test process."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Llama that TRL trains in a second."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run([sys.executable, "-m", "tests.learning.tiny_model", str(folder)], check=True, capture_output=True)
    return folder
