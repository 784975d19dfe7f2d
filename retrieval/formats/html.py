"""HTML, by selectolax: what a reader sees, without scripts, navigation and hidden elements."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block, Extracted, build_extracted, build_rows, squeeze
from retrieval.formats.encoding import decode_text

_DROPPED = "script, style, nav, noscript, template, iframe, svg, form, button, head > *:not(title), footer, [hidden]"
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_HEADING = re.compile(r"h([1-6])")
_INLINE = frozenset(
    re.findall(
        r"\w+",
        "a abbr b bdi bdo br cite code data del dfn em font i img ins kbd label mark q s samp small span strong "
        "sub sup time tt u var wbr",
    )
)
MAX_DEPTH = 200


def extract_html(content: bytes, file_name: str) -> Extracted:
    """Read an HTML page; the title is its first heading, else the `title` element.

    Raises:
        InvalidInputError: the bytes are no text, or elements nest deeper than any page written by a person.
    """
    tree = LexborHTMLParser(_decode(content))
    named = tree.css_first("title")
    title = named.text() if named else ""
    blocks = _read_tree(tree)
    first = next((block.text for block in blocks if block.kind == "heading"), "")
    return build_extracted(blocks, file_name=file_name, title=first or title)


def extract_fragment(html: str) -> list[Block]:
    """Blocks of a piece of HTML inside another format."""
    return _read_tree(LexborHTMLParser(html))


def _decode(content: bytes) -> str:
    declared = _CHARSET.search(content[:2048])
    if declared:
        try:
            # Pages that say euc-kr are written in its superset.
            name = declared[1].decode("ascii").lower()
            return content.decode("cp949" if name in ("euc-kr", "ks_c_5601-1987") else name)
        except (LookupError, UnicodeDecodeError):
            pass
    return decode_text(content)


def _read_tree(tree: LexborHTMLParser) -> list[Block]:
    body = tree.body
    if body is None:
        return []
    for node in body.css(_DROPPED):
        node.decompose()
    return list(_read(body, 0, 0))


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    style = attributes.get("style") or ""
    return attributes.get("aria-hidden") == "true" or bool(_HIDDEN_STYLE.search(style))


def _read(node: LexborNode, list_depth: int, depth: int) -> Iterator[Block]:
    """Blocks below a node; text and inline elements between block elements form a paragraph."""
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"expected at most {MAX_DEPTH} nested elements, got more; export the page again")
    inline: list[str] = []
    for child in node.iter(include_text=True):
        tag = child.tag or ""
        if tag == "-text" or tag in _INLINE:
            inline.append(_read_inline(child, depth + 1))
            continue
        if tag.startswith(("-", "!")):
            continue
        yield from _make_paragraph(inline, list_depth)
        inline = []
        if not _is_hidden(child):
            yield from _read_element(child, tag, list_depth, depth + 1)
    yield from _make_paragraph(inline, list_depth)


def _make_paragraph(inline: list[str], list_depth: int) -> Iterator[Block]:
    text = squeeze("".join(inline))
    if text:
        yield Block("item", f"- {text}", level=list_depth - 1) if list_depth else Block("paragraph", text)


def _read_element(node: LexborNode, tag: str, list_depth: int, depth: int) -> Iterator[Block]:
    heading = _HEADING.fullmatch(tag)
    if heading:
        yield Block("heading", squeeze(_read_inline(node, depth)), level=int(heading[1]))
    elif tag == "table":
        yield from build_rows(_read_table(node, depth))
    elif tag == "pre":
        yield Block("code", node.text().strip("\n"))
    else:
        yield from _read(node, list_depth + (tag == "li"), depth)


def _read_table(table: LexborNode, depth: int) -> list[list[str]]:
    rows = [row for row in table.css("tr") if not _is_hidden(row)]
    return [
        [_read_inline(cell, depth) for cell in row.iter() if cell.tag in ("td", "th") and not _is_hidden(cell)]
        for row in rows
    ]


def _read_inline(node: LexborNode, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"expected at most {MAX_DEPTH} nested elements, got more; export the page again")
    tag = node.tag or ""
    if tag == "-text":
        return node.text(deep=False)
    if tag == "br":
        return " "
    if tag == "img":
        return node.attributes.get("alt") or ""
    if tag.startswith(("-", "!")) or _is_hidden(node):
        return ""
    inner = "".join(_read_inline(child, depth + 1) for child in node.iter(include_text=True))
    return inner if tag in _INLINE else f" {inner} "
