"""HTML: what a reader sees."""

import pytest

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract

HTML = """<html><head><title>Intranet</title><style>p {}</style></head><body>
<nav>Home | Search</nav><script>alert(1)</script>
<h1>출장 규정</h1><p>식비는 <b>4만원</b>까지<br>지급합니다.</p>
<p style="display: none">secret</p><div hidden><nav><script>x</script></nav>secret</div>
<ul><li>예약<ul><li>기차</li></ul></li></ul>
<table><tr><th>Site</th><th>Limit</th></tr><tr><td>Seoul</td><td>40,000 won</td></tr></table>
<div>loose text <a href="x">link</a><p>inside</p></div><pre>a
  b</pre></body></html>"""


def test_html_gives_what_a_reader_sees() -> None:
    extracted = extract(HTML.encode("cp949"), "travel.html")
    assert extracted.title == "출장 규정"
    assert extracted.blocks == [
        Block("heading", "출장 규정", 1),
        Block("paragraph", "식비는 4만원까지 지급합니다."),
        Block("item", "- 예약", 0),
        Block("item", "- 기차", 1),
        Block("row", "Site: Seoul | Limit: 40,000 won"),
        Block("paragraph", "loose text link"),
        Block("paragraph", "inside"),
        Block("code", "a\n  b"),
    ]


def test_html_nested_without_end_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="nested"):
        extract(b"<div>" * 5000 + b"text", "deep.html")
