"""The sensitivity label of an Office document, as Microsoft Purview writes it among the document's custom properties.

Source: the properties `MSIP_Label_GUID_Enabled` and `MSIP_Label_GUID_Name` of the Information Protection SDK.
"""

import html
import io
import re
import zipfile

_PART = "docProps/custom.xml"
_MOST_BYTES = 200_000
_PROPERTY = re.compile(
    r"<property\b[^>]*\bname=[\"']MSIP_Label_([0-9A-Fa-f-]{36})_(Name|Enabled)[\"'][^>]*>\s*<[^>]*>([^<]*)<"
)
SENSITIVITY_CHARACTERS = 80


def find_office_label(content: bytes) -> str:
    """The name of the label that is set; empty where none is.

    Args:
        content: a package that was found sound.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            with archive.open(_PART) as part:
                properties = part.read(_MOST_BYTES).decode("utf-8", "replace")
        except (KeyError, zipfile.BadZipFile, OSError, NotImplementedError):
            return ""
    found: dict[str, dict[str, str]] = {}
    for label, name, value in _PROPERTY.findall(properties):
        found.setdefault(label.lower(), {})[name] = html.unescape(value)
    enabled = (one.get("Name", "") for one in found.values() if one.get("Enabled", "").lower() == "true")
    return clean_label(next(enabled, ""))


def clean_label(name: str) -> str:
    """One line of a length that every platform shows."""
    return " ".join(name.split())[:SENSITIVITY_CHARACTERS]
