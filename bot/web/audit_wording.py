"""The words of the page of the audit log in both languages; they are part of the console's."""

from collections.abc import Mapping

from core.prompt import Language

AUDIT: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "room_audit": "Audit",
        "audit_promise": "Who changed what, from the console, the chat and the terminal, and who was refused. "
        "Nothing here is ever changed or deleted.",
        "audit_placeholder": "Person, act or subject",
        "audit_kind": "Kind",
        "audit_every": "everything",
        "audit_act": "changes",
        "audit_sign_in": "signing in and out",
        "audit_refused": "refused",
        "audit_who": "Who",
        "audit_subject": "Subject",
        "no_audit": "Nothing has been changed yet.",
    },
    "ko": {
        "room_audit": "감사 기록",
        "audit_promise": "콘솔, 채팅, 터미널에서 누가 무엇을 바꾸었고 누가 거절되었는지 보여 줍니다. "
        "여기 있는 기록은 고치거나 지우지 않습니다.",
        "audit_placeholder": "사람, 작업 또는 대상",
        "audit_kind": "종류",
        "audit_every": "전체",
        "audit_act": "변경",
        "audit_sign_in": "로그인과 로그아웃",
        "audit_refused": "거절됨",
        "audit_who": "누가",
        "audit_subject": "대상",
        "no_audit": "아직 바뀐 것이 없습니다.",
    },
}
