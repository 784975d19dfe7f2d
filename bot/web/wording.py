"""Every word of the pages in both languages; the assistant's own sentences are in `bot/phrases.py`."""

import re
from collections.abc import Mapping

from aiohttp import web

from core.prompt import Language

LANGUAGE_COOKIE = "nightbake_language"

SUGGESTIONS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "How many days of annual leave do I have?",
        "Who approves travel expenses?",
        "What do I do when I lose my laptop?",
        "How long is the probation period?",
    ),
    "ko": (
        "연차 휴가는 며칠인가요?",
        "출장비는 누가 승인하나요?",
        "노트북을 잃어버리면 어떻게 하나요?",
        "수습 기간은 얼마나 되나요?",
    ),
}

WORDING: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "headline": "What would you like to know?",
        "promise": "I answer from the company’s documents and show where it stands. Your thumbs teach me overnight.",
        "placeholder": "Ask about the documents",
        "question_label": "Your question",
        "send": "Send",
        "stop": "Stop the answer",
        "stopping": "Stopping…",
        "not_stopped": "The answer could not be stopped.",
        "key_hint": "Enter sends · Shift+Enter new line · Alt+↑ edits the last question · Esc stops",
        "new": "New conversation",
        "language": "한국어",
        "language_label": "한국어로 보기",
        "skip": "Skip to the question",
        "conversation": "Conversation",
        "you": "You",
        "assistant": "Nightbake",
        "reading": "Reading the documents…",
        "reconnecting": "The connection was lost. Reconnecting; your question is kept…",
        "retry": "Try again",
        "not_sent": "Your question could not be sent.",
        "offline": "The server cannot be reached.",
        "sources": "Sources",
        "source": "Source",
        "open_source": "Open source {number}: {title}",
        "page": "page {page}",
        "changed": "changed {day}",
        "close": "Close",
        "whole_page": "Open as a page",
        "loading": "Opening…",
        "place_gone": "This place cannot be opened any more; the document may have changed. This was the passage:",
        "cited_passage": "Cited passage",
        "good": "Good answer",
        "bad": "Bad answer",
        "copy": "Copy answer",
        "copied": "Copied",
        "thanks": "Thank you.",
        "withdrawn": "Vote withdrawn.",
        "vote_failed": "Your vote could not be saved.",
        "correct_title": "What would be right?",
        "correction_label": "The right answer, as you would say it",
        "correction_hint": "A good correction teaches the assistant tonight.",
        "reason_label": "What is wrong?",
        "reason_none": "Choose, if you like",
        "reason_wrong": "The answer is wrong",
        "reason_incomplete": "Something is missing",
        "reason_wording": "Badly worded",
        "reason_wrong_document": "Taken from the wrong document",
        "reason_outdated": "The document is out of date",
        "save": "Save",
        "cancel": "Not now",
        "edit": "Edit",
        "correct": "Add a correction",
        "corrected": "Thank you. Your correction:",
        "back": "Back to the chat",
        "error_title": "That did not work",
        "sign_out": "Sign out",
        "signed_out": "You are signed out",
        "sign_in_again": "Sign in again",
        "sign_in_failed": "You could not be signed in: {why}.",
        "sign_in_away": "The sign-in service cannot be reached now. Please try again in a moment.",
        "not_a_reader": "your account is in none of the groups that may use Nightbake",
        "sign_in_stale": "it took too long, or was begun in another browser",
        "sign_in_refused": "the sign-in service refused, or what it said does not hold",
        "token": "Token",
        "open_console": "Open the console",
        "token_wrong": "That token opens nothing; a link opens once.",
        "denied": "Your role does not allow that. Your administrators can give you another one.",
        "generated_note": "Answers can be wrong. Check the source before you act on it.",
    },
    "ko": {
        "headline": "무엇이 궁금하신가요?",
        "promise": "회사 문서에서 답을 찾아 출처와 함께 보여 드립니다. 남겨 주신 평가로 밤사이 더 나아집니다.",
        "placeholder": "문서에 대해 물어보세요",
        "question_label": "질문",
        "send": "보내기",
        "stop": "답변 중지",
        "stopping": "중지하는 중…",
        "not_stopped": "답변을 중지하지 못했습니다.",
        "key_hint": "Enter 보내기 · Shift+Enter 줄바꿈 · Alt+↑ 지난 질문 고치기 · Esc 중지",
        "new": "새 대화",
        "language": "English",
        "language_label": "View in English",
        "skip": "질문 입력으로 건너뛰기",
        "conversation": "대화",
        "you": "나",
        "assistant": "Nightbake",
        "reading": "문서를 읽고 있습니다…",
        "reconnecting": "연결이 끊겼습니다. 다시 연결하고 있으며 질문은 보관되어 있습니다…",
        "retry": "다시 시도",
        "not_sent": "질문을 보내지 못했습니다.",
        "offline": "서버에 연결할 수 없습니다.",
        "sources": "출처",
        "source": "출처",
        "open_source": "출처 {number} 열기: {title}",
        "page": "{page}쪽",
        "changed": "{day} 변경",
        "close": "닫기",
        "whole_page": "전체 페이지로 열기",
        "loading": "여는 중…",
        "place_gone": "문서가 바뀌어 이 부분을 더 이상 열 수 없습니다. 인용한 내용은 다음과 같습니다.",
        "cited_passage": "인용한 부분",
        "good": "좋은 답변",
        "bad": "아쉬운 답변",
        "copy": "답변 복사",
        "copied": "복사했습니다",
        "thanks": "고맙습니다.",
        "withdrawn": "평가를 취소했습니다.",
        "vote_failed": "평가를 저장하지 못했습니다.",
        "correct_title": "어떻게 답해야 할까요?",
        "correction_label": "올바른 답변을 적어 주세요",
        "correction_hint": "좋은 수정은 오늘 밤 학습에 쓰입니다.",
        "reason_label": "무엇이 아쉬웠나요?",
        "reason_none": "선택하지 않아도 됩니다",
        "reason_wrong": "답이 틀렸습니다",
        "reason_incomplete": "빠진 내용이 있습니다",
        "reason_wording": "표현이 어색합니다",
        "reason_wrong_document": "다른 문서를 인용했습니다",
        "reason_outdated": "문서가 오래되었습니다",
        "save": "저장",
        "cancel": "나중에",
        "edit": "고치기",
        "correct": "올바른 답 알려 주기",
        "corrected": "고맙습니다. 남겨 주신 수정:",
        "back": "대화로 돌아가기",
        "error_title": "문제가 생겼습니다",
        "sign_out": "로그아웃",
        "signed_out": "로그아웃했습니다",
        "sign_in_again": "다시 로그인",
        "sign_in_failed": "로그인하지 못했습니다: {why}.",
        "sign_in_away": "지금 로그인 서비스에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요.",
        "not_a_reader": "Nightbake를 쓸 수 있는 그룹에 속해 있지 않습니다",
        "sign_in_stale": "시간이 너무 오래 걸렸거나 다른 브라우저에서 시작했습니다",
        "sign_in_refused": "로그인 서비스가 거절했거나 응답을 믿을 수 없습니다",
        "token": "토큰",
        "open_console": "콘솔 열기",
        "token_wrong": "그 토큰으로는 열 수 없습니다. 링크는 한 번만 열립니다.",
        "denied": "권한이 없습니다. 관리자에게 역할을 요청해 주세요.",
        "generated_note": "답변이 틀릴 수 있습니다. 중요한 일은 출처를 확인해 주세요.",
    },
}


def choose_language(request: web.Request) -> Language:
    """What the person chose, else the first of the two that the browser prefers, else English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("en", "ko"):
        return "ko" if chosen == "ko" else "en"
    weighed = [_weigh(part) for part in request.headers.get("Accept-Language", "").split(",")]
    ours = [(weight, tag) for weight, tag in weighed if tag in ("en", "ko") and weight > 0]
    best = max(ours, key=lambda pair: pair[0], default=(1.0, "en"))
    return "ko" if best[1] == "ko" else "en"


def _weigh(part: str) -> tuple[float, str]:
    """`ko-KR;q=0.9` as (0.9, "ko")."""
    tag, _, parameters = part.strip().partition(";")
    found = re.fullmatch(r"\s*q=([01](\.\d{0,3})?)\s*", parameters)
    return (float(found[1]) if found else 1.0), tag.split("-")[0].lower()
