"""Archives: each member a section, and nothing that bursts, leads out or hides permissions."""

import io
import zipfile
from datetime import UTC, datetime

import pytest

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block, LeftOut
from retrieval.formats.registry import extract


def pack(members: dict[str, bytes], *, level: int = zipfile.ZIP_DEFLATED) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", level) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stored.getvalue()


def test_each_member_is_a_section_under_its_name() -> None:
    content = pack(
        {"hr/leave.md": "# 휴가\n\n연차는 15일입니다.".encode(), "travel.txt": b"by train", "__MACOSX/._a.md": b"x"}
    )
    extracted = extract(content, "policies.zip")
    assert extracted.title == "policies"
    assert extracted.blocks == [
        Block("heading", "hr/leave.md", 1),
        Block("heading", "휴가", 2),
        Block("paragraph", "연차는 15일입니다."),
        Block("heading", "travel.txt", 1),
        Block("paragraph", "by train"),
    ]


def test_a_member_that_cannot_be_read_is_named_and_the_rest_is_read() -> None:
    inner = pack({"deep.txt": b"found", "broken.docx": b"PK"})
    extracted = extract(pack({"good.txt": b"words", "logo.svg": b"<svg/>", "inner.zip": inner}), "a.zip")
    assert [block.text for block in extracted.blocks if block.kind == "paragraph"] == ["words", "found"]
    assert [part.name for part in extracted.left_out] == ["logo.svg", "inner.zip!/broken.docx"]


def test_names_of_korean_windows_are_read() -> None:
    content = pack({"XXXX.txt": b"words"}).replace(b"XXXX.txt", "휴가.txt".encode("cp949"))
    assert extract(content, "a.zip").blocks[0] == Block("heading", "휴가.txt", 1)


def test_a_path_that_leads_out_is_left_out() -> None:
    extracted = extract(pack({"../../etc/passwd.txt": b"root", "a.txt": b"words"}), "a.zip")
    reason = "expected a path inside the archive, got one that leads out of it; pack it again"
    assert extracted.left_out == [LeftOut("../../etc/passwd.txt", reason)]


def test_an_archive_with_permissions_of_its_own_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"\.access\.json is not applied inside an archive"):
        extract(pack({"hr/.access.json": b'{"allow": ["group:hr"]}', "hr/pay.txt": b"secret"}), "a.zip")


def test_what_packs_to_a_thousandth_is_a_bomb() -> None:
    with pytest.raises(InvalidInputError, match="more than 200 times; it is not read"):
        extract(pack({"zeros.txt": b" " * 20_000_000}), "a.zip")


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.formats.package.MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InvalidInputError, match="unpacks to 1,001 bytes, at most 1,000"):
        extract(pack({"a.txt": b"x" * 1001}), "a.zip")


def test_too_many_members_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="holds more than 2,000 files"):
        extract(pack({f"{number}.txt": b"" for number in range(2001)}), "a.zip")


def test_archives_in_each_other_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.formats.budget.Budget.__init__.__defaults__", (3000, 2000, 0))
    inner = pack({"a.txt": b"x" * 900}, level=zipfile.ZIP_STORED)
    with pytest.raises(InvalidInputError, match="unpacks to more than"):
        extract(pack({"1.zip": inner, "2.zip": inner}, level=zipfile.ZIP_STORED), "a.zip")


def test_archives_within_archives_end_somewhere() -> None:
    content = pack({"a.txt": b"words"})
    for _ in range(4):
        content = pack({"inner.zip": content, "a.txt": b"words"})
    assert [
        "expected at most 3 archives inside each other" in part.reason for part in extract(content, "a.zip").left_out
    ] == [True]


def test_an_archive_of_nothing_readable_says_why() -> None:
    with pytest.raises(
        InvalidInputError, match=r"no document in the archive could be read: logo\.svg: expected one of"
    ):
        extract(pack({"logo.svg": b"<svg/>"}), "a.zip")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing of the kind"])
def test_a_broken_archive_says_what_to_do(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="got a broken one; pack it again"):
        extract(content, "a.zip")


def test_an_encrypted_member_is_named() -> None:
    content = bytearray(pack({"secret.txt": b"words", "open.txt": b"words"}))
    content[content.find(b"PK\x01\x02") + 8] |= 1
    assert extract(bytes(content), "a.zip").left_out == [
        LeftOut("secret.txt", "is encrypted; pack it without a password")
    ]


def test_an_archive_has_the_newest_date_of_its_members() -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr(zipfile.ZipInfo("old.txt", (2026, 5, 3, 10, 0, 0)), "old")
        archive.writestr(zipfile.ZipInfo("undated.txt"), "undated")
        archive.writestr(zipfile.ZipInfo("said.md", (2026, 9, 1, 0, 0, 0)), "---\nupdated: 2026-04-01\n---\nsaid")
    assert extract(stored.getvalue(), "a.zip").changed_at == datetime(2026, 5, 3, 10, tzinfo=UTC)
