"""Markdown: headings, lists, tables, code, and a title from the front matter."""

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
