"""Messages: headers, one body, attachments by name."""

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage

import pytest

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract


def make_message(subject: str = "출장 안내") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "김 대리 <kim@example.org>", "all@example.org"
    message["Date"] = "Thu, 05 Mar 2026 09:00:00 +0900"
    return message


def test_headers_and_the_plain_body() -> None:
    message = make_message()
    message.set_content("식비는 4만원입니다.\n\n영수증을 보관하세요.\n")
    message.add_alternative("<p>HTML of the same</p>", subtype="html")
    extracted = extract(message.as_bytes(), "mail.eml")
    assert extracted.title == "출장 안내"
    assert extracted.blocks == [
        Block("heading", "출장 안내", 1),
        Block(
            "paragraph",
            "From: 김 대리 <kim@example.org>\nTo: all@example.org\nDate: Thu, 05 Mar 2026 09:00:00 +0900",
        ),
        Block("paragraph", "식비는 4만원입니다."),
        Block("paragraph", "영수증을 보관하세요."),
    ]


def test_an_html_body_is_read_as_its_reader_sees_it() -> None:
    message = make_message()
    message.set_content("<h2>Meals</h2><p>40,000 won</p><script>x</script>", subtype="html")
    blocks = extract(message.as_bytes(), "mail.eml").blocks
    assert blocks[2:] == [Block("heading", "Meals", 2), Block("paragraph", "40,000 won")]


def test_attachments_are_sections_under_their_names() -> None:
    message = make_message()
    message.set_content("see below")
    message.add_attachment(b"# Leave\n\n15 days", maintype="text", subtype="markdown", filename="휴가.md")
    message.add_attachment(b"\x00", maintype="application", subtype="octet-stream", filename="program.exe")
    inner = make_message("Earlier")
    inner.set_content("the first message")
    message.add_attachment(inner)
    extracted = extract(message.as_bytes(), "mail.eml")
    assert extracted.blocks[3:6] == [
        Block("heading", "휴가.md", 1),
        Block("heading", "Leave", 2),
        Block("paragraph", "15 days"),
    ]
    assert extracted.blocks[6:8] == [Block("heading", "3.eml", 1), Block("heading", "Earlier", 2)]
    assert [part.name for part in extracted.left_out] == ["program.exe"]


@pytest.mark.parametrize("charset", ["euc-kr", "ks_c_5601-1987", "utf-8", "x-unknown"])
def test_korean_charsets_are_read(charset: str) -> None:
    encoding = "utf-8" if charset == "utf-8" else "cp949"
    head = f"Subject: a\r\nContent-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    blocks = extract(head.encode() + "똠방각하 휴가".encode(encoding), "mail.eml").blocks
    assert blocks[-1] == Block("paragraph", "똠방각하 휴가")


def test_line_ends_of_mail_are_no_text() -> None:
    message = make_message()
    message.set_content("one\n\ntwo")
    blocks = extract(message.as_bytes(policy=policy.SMTP), "mail.eml").blocks
    assert [block.text for block in blocks[2:]] == ["one", "two"]


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"just words"])
def test_a_file_without_headers_is_no_message(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="expected an e-mail message"):
        extract(content, "mail.eml")


def test_hostile_headers_never_escape() -> None:
    for head in (
        b"Subject: =?utf-8?b?////?=",
        b"Date: never",
        b"From: <<<>>>,,;:@",
        b"To: " + b"(" * 5000,
        b"Content-Type: ;;;",
    ):
        assert extract(b"Subject: a\r\n" + head + b"\r\n\r\nwords", "mail.eml").blocks


def test_a_message_has_its_date() -> None:
    message = make_message()
    message.set_content("words")
    assert extract(message.as_bytes(), "mail.eml").changed_at == datetime(2026, 3, 5, tzinfo=UTC)
