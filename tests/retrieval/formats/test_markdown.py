"""Markdown: headings, lists, tables, code, and a title from the front matter."""

from datetime import UTC, datetime

import pytest

from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract

MARKDOWN = """---
title: "Travel policy"
---
# Travel

Meals are paid up to a [limit](https://example.org).
Keep receipts.

- Book early
  - by train

1. ask
2. go

| Site | Limit |
|---|---|
| Seoul | 40,000 won |
| 부산 | 30,000원 |

```sh
travel --book
```
"""


def test_markdown_gives_headings_items_rows_and_code() -> None:
    extracted = extract(MARKDOWN.encode(), "travel.md")
    assert extracted.title == "Travel policy"
    assert extracted.blocks == [
        Block("heading", "Travel", 1),
        Block("paragraph", "Meals are paid up to a limit.\nKeep receipts."),
        Block("item", "- Book early", 0),
        Block("item", "- by train", 1),
        Block("item", "1. ask", 0),
        Block("item", "2. go", 0),
        Block("row", "Site: Seoul | Limit: 40,000 won"),
        Block("row", "Site: 부산 | Limit: 30,000원"),
        Block("code", "travel --book"),
    ]


@pytest.mark.parametrize(
    ("front", "month"),
    [
        ("date: 2026-03-01\nupdated: '2026-05-01'", 5),
        ("Last-Modified: 2026-04-01T00:00:00Z  # by hand", 4),
        ("date: 2026-03-01\nupdated: soon", 3),
        ("title: 2026-03-01", None),
    ],
)
def test_front_matter_dates_a_page(front: str, month: int | None) -> None:
    changed_at = extract(f"---\n{front}\n---\nwords".encode(), "a.md").changed_at
    assert changed_at == (datetime(2026, month, 1, tzinfo=UTC) if month else None)
