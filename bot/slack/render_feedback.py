"""What stands under an answer for people to judge it by, and the quiet words that follow. Pure."""

from bot.reply import FinishedAnswer
from bot.slack.blocks import Block, actions, button, plain, section
from core.prompt import Language

VOTE, EXPLAIN, AGAIN, ASK_HUMAN = "vote", "explain", "again", "ask_human"

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "up": "Good answer",
        "down": "Bad answer",
        "up_label": "Mark this answer as good",
        "down_label": "Mark this answer as bad and say why",
        "thanks": "Thank you, I learn from it. Only admins see your vote; you can change it at any time.",
        "thanks_down": "Thank you, I learn from it. Only admins see your vote. A word on what was wrong helps most.",
        "thanks_form": "Thank you. Only admins see what you wrote, and the next answers learn from it.",
        "explain": "Say what was wrong",
        "again": "Try again",
        "human": "Ask a human",
        "human_sure": "Colleagues who know about it will see your question and this answer.",
        "human_yes": "Ask them",
        "human_no": "Cancel",
    },
    "ko": {
        "up": "좋은 답변",
        "down": "아쉬운 답변",
        "up_label": "이 답변을 좋은 답변으로 표시",
        "down_label": "이 답변을 아쉬운 답변으로 표시하고 이유 남기기",
        "thanks": "감사합니다. 평가를 바탕으로 배웁니다. 평가는 관리자만 볼 수 있고 언제든지 바꾸실 수 있습니다.",
        "thanks_down": "감사합니다. 평가는 관리자만 볼 수 있습니다. 아쉬웠던 점을 알려 주시면 큰 도움이 됩니다.",
        "thanks_form": "감사합니다. 남겨 주신 내용은 관리자만 볼 수 있으며 다음 답변에 반영됩니다.",
        "explain": "아쉬웠던 점 알리기",
        "again": "다시 답변받기",
        "human": "담당자에게 묻기",
        "human_sure": "담당자들이 질문과 이 답변을 보게 됩니다.",
        "human_yes": "묻기",
        "human_no": "취소",
    },
}


def render_feedback(answer: FinishedAnswer) -> list[Block]:
    """Slack's own thumbs and what else can be done; all of it names the answer, so any message of it can hold them."""
    phrases, number = _PHRASES[answer.language], str(answer.interaction_id)
    buttons = [button(AGAIN, phrases["again"], number)] if answer.can_try_again else []
    if answer.can_ask_human:
        sure = {"title": "human", "text": "human_sure", "confirm": "human_yes", "deny": "human_no"}
        asked = {part: plain(phrases[name]) for part, name in sure.items()}
        buttons.append(button(ASK_HUMAN, phrases["human"], number) | {"confirm": asked})
    thumbs = {"type": "context_actions", "elements": [_render_thumbs(answer)]}
    return [thumbs, actions(*buttons)] if buttons else [thumbs]


def render_thanks(source: str, value: int, interaction_id: int, language: Language) -> tuple[str, list[Block]]:
    """What the person alone is told after a vote: text and blocks."""
    phrases = _PHRASES[language]
    if source == "slack_form":
        return phrases["thanks_form"], [section(phrases["thanks_form"])]
    if value > 0:
        return phrases["thanks"], [section(phrases["thanks"])]
    explain = button(EXPLAIN, phrases["explain"], str(interaction_id))
    return phrases["thanks_down"], [
        section(phrases["thanks_down"]),
        actions(explain),
    ]


def _render_thumbs(answer: FinishedAnswer) -> Block:
    phrases = _PHRASES[answer.language]
    buttons = {
        f"{kind}_button": {
            "text": plain(phrases[side]),
            "accessibility_label": phrases[f"{side}_label"],
            "value": f"{side}:{answer.interaction_id}",
        }
        for kind, side in (("positive", "up"), ("negative", "down"))
    }
    return {"type": "feedback_buttons", "action_id": VOTE, **buttons}
