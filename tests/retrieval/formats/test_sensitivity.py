"""Labels that files carry: of Office in its custom properties, of Markdown in its front matter."""

import io
import zipfile

import pytest
from docx import Document

from retrieval.formats.registry import extract
from retrieval.formats.sensitivity import find_office_label

GENERAL, SECRET = "11111111-2222-4333-8444-000000000001", "11111111-2222-4333-8444-000000000002"


def make_docx(*properties: tuple[str, str]) -> bytes:
    """A Word document with custom properties."""
    document, stored = Document(), io.BytesIO()
    document.add_paragraph("Directors have 40 days.")
    document.save(stored)
    rows = "".join(
        f'<property fmtid="{{D5}}" pid="{number}" name="{name}"><vt:lpwstr>{value}</vt:lpwstr></property>'
        for number, (name, value) in enumerate(properties, start=2)
    )
    with zipfile.ZipFile(stored, "a") as archive:
        archive.writestr("docProps/custom.xml", f'<?xml version="1.0"?><Properties xmlns:vt="v">{rows}</Properties>')
    return stored.getvalue()


def test_the_label_of_an_office_document_is_the_one_that_is_set() -> None:
    content = make_docx(
        (f"MSIP_Label_{GENERAL}_Enabled", "false"),
        (f"MSIP_Label_{GENERAL}_Name", "General"),
        (f"MSIP_Label_{SECRET}_Name", "R&amp;D\n Confidential"),
        (f"MSIP_Label_{SECRET}_Enabled", "true"),
        ("Author", "Ann"),
    )
    assert extract(content, "a.docx").sensitivity == "R&D Confidential"


@pytest.mark.parametrize("properties", [[], [("Author", "Ann")], [(f"MSIP_Label_{SECRET}_Name", "Secret")]])
def test_a_document_without_one_has_none(properties: list[tuple[str, str]]) -> None:
    assert find_office_label(make_docx(*properties)) == ""


def test_a_package_without_custom_properties_has_none() -> None:
    stored = io.BytesIO()
    Document().save(stored)
    assert find_office_label(stored.getvalue()) == ""


@pytest.mark.parametrize(
    ("front", "label"),
    [
        ("title: Leave\nsensitivity: 'Confidential'", "Confidential"),
        ("sensitivity: 대외비", "대외비"),
        ("title: Leave", ""),
        (f"sensitivity: {'x' * 200}", "x" * 80),
    ],
)
def test_the_front_matter_says_the_label(front: str, label: str) -> None:
    assert extract(f"---\n{front}\n---\nWords.\n".encode(), "a.md").sensitivity == label
