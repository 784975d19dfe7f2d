"""Named queries: `x.sql` beside `x.py`, each statement under a line `-- name: verb_noun`."""

import re
from pathlib import Path

_NAME = re.compile(rb"^-- name: (\w+)\s*$", re.MULTILINE)


def load_queries(module_file: str) -> dict[str, bytes]:
    """Statements of the `.sql` file beside a module, by name.

    Bytes, because psycopg takes them as trusted text: they never hold a value, only placeholders.

    Raises:
        ValueError: two statements share a name.
    """
    source = Path(module_file).with_suffix(".sql").read_bytes()
    parts = _NAME.split(source)[1:]
    names = [name.decode() for name in parts[::2]]
    if len(set(names)) != len(names):
        raise ValueError(f"two statements of one name in {Path(module_file).with_suffix('.sql').name}")
    return dict(zip(names, (body.strip() for body in parts[1::2]), strict=True))
