"""What admins read of nights and alerts, in Markdown: `**` is bold, as each platform shows it."""

from bot.admin_messages import Trial
from core.prompt import Language

ADMIN_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "approve": "Approve",
        "approve_sure": "{adapter} answers from the next question on.",
        "roll_back": "Roll back",
        "roll_back_sure": "What answered before {adapter} answers again from the next question on.",
        "pause": "Pause nights",
        "pause_sure": "No night is run by schedule, and no adapter is switched, until somebody resumes.",
        "resume": "Resume nights",
        "resume_sure": "Nights are run by schedule again.",
        "yes": "Yes",
        "no": "Cancel",
        "open": "Open in the console",
        "switched": "{who} put {what} in service.",
        "base": "the base model",
        "paused": "Nights are paused by {who}.",
        "is_served": "This adapter is in service already; nothing was changed.",
        "is_rejected": "The gate has refused this adapter; nothing was changed. "
        "`nightbake adapters promote` serves it all the same.",
        "was_overtaken": "Another adapter was put in service since this report; nothing was changed. "
        "See `nightbake adapters`.",
        "is_not_served": "This adapter is not in service any more; nothing was changed.",
        "is_paused": "Nights are paused already.",
        "is_running": "Nights are not paused.",
        "failed": "Nothing was changed: {error}",
        "taken": "I am doing it; the report shows it in a moment.",
        "refused": "Only admins may do that. It was written to the audit log.",
        "model_server": "**The model server does not answer.** Until it does, answers are quoted "
        "from the documents. `nightbake doctor` looks at it.",
        "inbox": "**Questions are waiting**: {waiting} events, the oldest for {duration}. "
        "More come in than are worked on: raise WORKER_CONCURRENCY or start another replica.",
        "socket": "**Slack's connection is silent** on {subject}. It is opened anew again and again; "
        "look at the proxy, and at `nightbake doctor`.",
        "clear": "All clear after {duration}.",
        "trial_passed": "**The trial is over, and {adapter} answers everybody from now on.** {votes}",
        "trial_harmful": "**The trial was ended, and {adapter} taken back**: people liked it less. "
        "What answered before answers everybody again. {votes}",
        "trial_votes": "Liked: {trial_liked} of {trial_votes} votes on the trial, "
        "{other_liked} of {other_votes} beside it.",
    },
    "ko": {
        "approve": "승인",
        "approve_sure": "다음 질문부터 {adapter} 어댑터가 답합니다.",
        "roll_back": "되돌리기",
        "roll_back_sure": "다음 질문부터 {adapter} 이전의 모델이 다시 답합니다.",
        "pause": "야간 학습 일시 중지",
        "pause_sure": "다시 시작할 때까지 예약된 야간 학습과 어댑터 교체가 멈춥니다.",
        "resume": "야간 학습 다시 시작",
        "resume_sure": "예약된 야간 학습을 다시 시작합니다.",
        "yes": "예",
        "no": "취소",
        "open": "콘솔에서 열기",
        "switched": "{who} 님이 {what}(으)로 바꾸었습니다.",
        "base": "기본 모델",
        "paused": "{who} 님이 야간 학습을 일시 중지했습니다.",
        "is_served": "이미 서비스 중인 어댑터입니다. 바뀐 것은 없습니다.",
        "is_rejected": "검증에서 거부된 어댑터입니다. 바뀐 것은 없습니다. "
        "그래도 쓰려면 `nightbake adapters promote`를 실행하세요.",
        "was_overtaken": "이 보고서 이후에 다른 어댑터로 바뀌었습니다. 바뀐 것은 없습니다. "
        "`nightbake adapters`에서 확인하세요.",
        "is_not_served": "이 어댑터는 더 이상 서비스 중이 아닙니다. 바뀐 것은 없습니다.",
        "is_paused": "야간 학습은 이미 일시 중지되어 있습니다.",
        "is_running": "야간 학습은 중지되어 있지 않습니다.",
        "failed": "바뀐 것은 없습니다: {error}",
        "taken": "처리하고 있습니다. 곧 보고서에 표시됩니다.",
        "refused": "관리자만 할 수 있습니다. 감사 기록에 남겼습니다.",
        "model_server": "**모델 서버가 응답하지 않습니다.** 복구될 때까지 문서를 인용해 답합니다. "
        "`nightbake doctor`로 확인하세요.",
        "inbox": "**질문이 밀려 있습니다**: {waiting}건, 가장 오래된 것은 {duration}째 기다립니다. "
        "WORKER_CONCURRENCY를 올리거나 서버를 늘려 주세요.",
        "socket": "{subject}에서 **Slack 연결이 끊겨 있습니다.** 계속 다시 연결하고 있습니다. "
        "프록시와 `nightbake doctor`를 확인하세요.",
        "clear": "{duration} 만에 해소되었습니다.",
        "trial_passed": "**시험이 끝났습니다. 이제 {adapter} 어댑터가 모든 질문에 답합니다.** {votes}",
        "trial_harmful": "**시험을 멈추고 {adapter} 어댑터를 되돌렸습니다.** 평가가 더 나빴습니다. "
        "이전 모델이 다시 모든 질문에 답합니다. {votes}",
        "trial_votes": "좋아요: 시험한 답변 {trial_votes}표 중 {trial_liked}표, "
        "나머지 답변 {other_votes}표 중 {other_liked}표.",
    },
}


def say_trial(trial: Trial, language: Language) -> str:
    """How a trial ended, with its votes."""
    votes = ADMIN_PHRASES[language]["trial_votes"].format(
        trial_liked=trial.trial_liked,
        trial_votes=trial.trial_votes,
        other_liked=trial.other_liked,
        other_votes=trial.other_votes,
    )
    phrase = "trial_passed" if trial.passed else "trial_harmful"
    return say_admin(phrase, language, adapter=f"`{trial.adapter}`", votes=votes)


def say_admin(phrase: str, language: Language, **values: object) -> str:
    """One phrase; what is put in must be safe where it is shown."""
    return ADMIN_PHRASES[language][phrase].format(**values)
