"""The words of the page of memory, in both languages; they are part of the console's."""

from collections.abc import Mapping

from core.prompt import Language

MEMORY: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "room_memory": "Memory",
        "memory_promise": "What people corrected or liked stands in the prompts of near questions, for those who may "
        "read its documents, until what answers has learnt it from a night.",
        "no_memory": "Nothing is remembered here.",
        "memory_question": "Question",
        "memory_answer": "Right answer",
        "memory_uses": "Used",
        "memory_remove": "Remove",
        "memory_remove_ask": "No prompt will hold it any more, whatever is voted later. Remove it?",
        "memory_gone": "Removed.",
        "memory_is_learnt": "learnt",
        "every_state": "in every state",
        "memory_expert": "expert",
        "memory_correction": "correction",
        "memory_like": "like",
        "memory_standing": "in use",
        "memory_waiting": "a newcomer's, waits",
        "memory_stale": "a document changed",
        "memory_withdrawn": "withdrawn",
        "memory_removed": "removed",
    },
    "ko": {
        "room_memory": "기억",
        "memory_promise": "수정되거나 좋아요를 받은 답변을 비슷한 질문의 프롬프트에 넣습니다. 해당 문서를 읽을 수 있는 "
        "사람에게만, 그리고 답변하는 모델이 밤에 학습할 때까지만 씁니다.",
        "no_memory": "기억한 답변이 없습니다.",
        "memory_question": "질문",
        "memory_answer": "올바른 답변",
        "memory_uses": "사용",
        "memory_remove": "제거",
        "memory_remove_ask": "이후 평가와 관계없이 더는 프롬프트에 넣지 않습니다. 제거할까요?",
        "memory_gone": "제거했습니다.",
        "memory_is_learnt": "학습함",
        "every_state": "모든 상태",
        "memory_expert": "전문가",
        "memory_correction": "수정",
        "memory_like": "좋아요",
        "memory_standing": "사용 중",
        "memory_waiting": "새 평가자, 대기",
        "memory_stale": "문서가 바뀜",
        "memory_withdrawn": "철회됨",
        "memory_removed": "제거됨",
    },
}
