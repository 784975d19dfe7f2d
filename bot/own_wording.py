"""What is said to people of themselves: what came of their votes, what they allow, that they are forgotten. Plain."""

from core.prompt import Language

OWN_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "recent": "Your latest questions",
        "recent_none": "You have asked nothing yet.",
        "judged": "What your votes changed",
        "judged_none": "No 👎 of yours in the last two weeks.",
        "served": "An adapter that learnt from it answers since {day}.",
        "trained": "A night learnt from it, but that adapter was not put to work.",
        "examined": "It is kept to examine new adapters with; none learns from it.",
        "unused": "A night could not learn from it.",
        "refused": "Nothing learns from it, as you or the channel wish.",
        "waiting": "No night has looked at it yet.",
        "now": "Asked again on {day}, I answered: {answer}",
        "ask_now": "Ask it now",
        "consent": "Learning",
        "consent_yes": "Nights may learn from your questions and votes.",
        "consent_no": "Nothing is learnt from your questions and votes.",
        "refuse": "Do not learn from me",
        "agree": "You may learn from me",
        "forget": "Forget me",
        "forget_text": "Erases your questions, their answers and your votes from my memory, for good.",
        "forget_sure": "All your questions, their answers and your votes are erased for good. Messages in {place} "
        "stay. Models that were trained on them stop answering at once.",
        "forget_yes": "Erase everything",
        "forget_no": "Cancel",
        "erased": "Done: {questions} questions with their answers and {votes} votes are erased.",
        "erased_adapters": "Adapters that had learnt from them do not answer any more: {adapters}. "
        "The next night learns without them.",
        "asked": "You asked this before: {question}",
        "not_known": "This question is not known any more.",
        "may_read": "You may read {documents} documents.",
        "base_answers": "The base model answers, without an adapter.",
        "adapter_answers": "The adapter {adapter} answers, since {day}.",
    },
    "ko": {
        "recent": "최근 질문",
        "recent_none": "아직 질문이 없습니다.",
        "judged": "내 평가로 달라진 점",
        "judged_none": "최근 2주 동안 남기신 👎가 없습니다.",
        "served": "이 평가로 학습한 어댑터가 {day}부터 답하고 있습니다.",
        "trained": "이 평가로 학습했지만 그 어댑터는 사용되지 않았습니다.",
        "examined": "새 어댑터를 시험하는 데 쓰이며 학습에는 쓰이지 않습니다.",
        "unused": "이 평가는 학습에 쓸 수 없었습니다.",
        "refused": "본인 또는 채널의 뜻에 따라 학습에 쓰지 않습니다.",
        "waiting": "아직 학습 전입니다.",
        "now": "{day}에 다시 물으셨을 때의 답변: {answer}",
        "ask_now": "지금 다시 묻기",
        "consent": "학습",
        "consent_yes": "질문과 평가가 학습에 쓰일 수 있습니다.",
        "consent_no": "질문과 평가를 학습에 쓰지 않습니다.",
        "refuse": "학습에 쓰지 않기",
        "agree": "학습에 쓰기",
        "forget": "내 기록 지우기",
        "forget_text": "질문과 답변, 평가를 제 기록에서 영구히 지웁니다.",
        "forget_sure": "질문과 답변, 평가가 모두 영구히 지워집니다. {place}의 메시지는 남습니다. "
        "이 내용으로 학습한 모델은 바로 사용을 멈춥니다.",
        "forget_yes": "모두 지우기",
        "forget_no": "취소",
        "erased": "질문과 답변 {questions}건, 평가 {votes}건을 지웠습니다.",
        "erased_adapters": "이 내용으로 학습한 어댑터는 더 이상 쓰지 않습니다: {adapters}. "
        "다음 야간 학습은 이 내용 없이 진행합니다.",
        "asked": "전에 하신 질문입니다: {question}",
        "not_known": "더 이상 찾을 수 없는 질문입니다.",
        "may_read": "열람하실 수 있는 문서는 {documents}건입니다.",
        "base_answers": "어댑터 없이 기본 모델이 답하고 있습니다.",
        "adapter_answers": "{day}부터 어댑터 {adapter}이(가) 답하고 있습니다.",
    },
}


def say_own(phrase: str, language: Language, **values: object) -> str:
    """One phrase; what is put in must be safe where it is shown."""
    return OWN_PHRASES[language][phrase].format(**values)
