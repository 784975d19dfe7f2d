"""Office packages with a part exchanged."""

import io
import zipfile
from collections.abc import Callable


def change_part(content: bytes, name: str, change: Callable[[str], str]) -> bytes:
    """The same package with one part changed."""
    stored = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = old.read(entry)
            new.writestr(entry.filename, change(part.decode()) if entry.filename == name else part)
    return stored.getvalue()


def put_bomb(content: bytes, name: str) -> bytes:
    """Entities that multiply to 10 to the ninth in a part whose text holds a written-out `&e9;`."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE x [<!ENTITY e0 "lol">{entities}]>'

    def change(part: str) -> str:
        declared, _, rest = part.partition("?>")
        return f"{declared}?>{doctype}{rest}".replace("&amp;e9;", "&e9;")

    return change_part(content, name, change)
