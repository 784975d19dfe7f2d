"""What the assistant says itself, in both languages."""

from core.prompt import Language

PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "reading": "Reading the documents…",
        "in_line": "You are {place} in line",
        "next_in_line": "You are next in line",
        "about": "; about {time}.",
        "nothing_found": "I found nothing about this in the documents you may read.",
        "not_found": "The documents you may read do not seem to hold this. The nearest are: {titles}",
        "searched_for": "Searched for “{searched}” instead of “{typed}”.",
        "searched_filtered": "Searched only documents {filters}.",
        "filter_dropped": "Nothing about this in documents {filters}, so all were searched.",
        "changed_from": "changed since {day}",
        "changed_until": "changed before {day}",
        "owned_by": "owned by {owner}",
        "refused": "The documents do not seem to say. These sentences come closest:",
        "quoted_server": "The language model is away, so these are sentences from the documents:",
        "quoted_resting": "The language model is learning from your votes right now and rests meanwhile, so these are "
        "sentences from the documents:",
        "quoted_unsupported": "These sentences from the documents answer best:",
        "quoted_unsafe": "These sentences from the documents answer best:",
        "quoted_long": "The question is too long for the language model beside its passages, so these are sentences "
        "from the documents. A shorter question helps:",
        "quoted_language": "These sentences from the documents answer best:",
        "withheld": "This was answered from documents that you may not read any more.",
        "stopped": "Stopped.",
        "stopped_early": "Stopped before the answer began.",
        "more": "I found more that only you may see:",
        "share": "Share what everyone here may read",
        "shared": "{person} shares what everyone here may read:",
        "shared_part": "There is more in documents that not everyone here may read.",
        "shared_nothing": "{person} found an answer in documents that not everyone here may read.",
        "limit_person_per_minute": "You have asked {most} questions within a minute. Please ask this one again in "
        "{seconds} s.",
        "limit_person_waiting": "{most} of your questions still wait for their answers. Please ask this one again when "
        "one of them is answered.",
        "limit_workspace_per_minute": "Your company has asked {most} questions within a minute. Please ask this one "
        "again in {seconds} s.",
        "limit_workspace_waiting": "{most} questions of your company still wait for their answers. Please ask this one "
        "again in a few minutes.",
        "apology": "Something went wrong on our side. Please ask again; if it stays, name answer {id} to your admin.",
    },
    "ko": {
        "reading": "문서를 읽고 있습니다…",
        "in_line": "대기 순서 {place}번째입니다",
        "next_in_line": "다음 차례입니다",
        "about": ". 약 {time} 남았습니다.",
        "nothing_found": "열람하실 수 있는 문서에서 관련 내용을 찾지 못했습니다.",
        "not_found": "열람하실 수 있는 문서에는 이 내용이 없는 것 같습니다. 가장 가까운 문서: {titles}",
        "searched_for": "‘{typed}’ 대신 ‘{searched}’(으)로 검색했습니다.",
        "searched_filtered": "다음 조건의 문서만 검색했습니다: {filters}.",
        "filter_dropped": "다음 조건의 문서에는 관련 내용이 없어 전체를 검색했습니다: {filters}.",
        "changed_from": "{day} 이후 변경",
        "changed_until": "{day} 전 변경",
        "owned_by": "담당 {owner}",
        "refused": "문서에 나와 있지 않은 것 같습니다. 가장 가까운 문장은 다음과 같습니다.",
        "quoted_server": "언어 모델이 잠시 쉬고 있어 문서의 문장을 그대로 보여 드립니다.",
        "quoted_resting": "언어 모델이 지금 투표를 바탕으로 학습하느라 쉬고 있어 문서의 문장을 그대로 보여 드립니다.",
        "quoted_unsupported": "문서에서 가장 가까운 문장입니다.",
        "quoted_unsafe": "문서에서 가장 가까운 문장입니다.",
        "quoted_long": "질문이 길어 언어 모델이 문서와 함께 읽을 수 없으므로 문서의 문장을 그대로 보여 드립니다. "
        "질문을 줄여 보세요.",
        "quoted_language": "문서에서 가장 가까운 문장입니다.",
        "withheld": "이제 열람하실 수 없는 문서를 바탕으로 한 답변이어서 보여 드리지 않습니다.",
        "stopped": "중지했습니다.",
        "stopped_early": "답변이 시작되기 전에 중지했습니다.",
        "more": "본인만 볼 수 있는 내용을 더 찾았습니다.",
        "share": "모두가 볼 수 있는 내용 공유",
        "shared": "{person} 님이 이곳의 모두가 볼 수 있는 내용을 공유합니다.",
        "shared_part": "일부만 열람할 수 있는 문서에 내용이 더 있습니다.",
        "shared_nothing": "{person} 님이 일부만 열람할 수 있는 문서에서 답을 찾았습니다.",
        "limit_person_per_minute": "1분 동안 질문 {most}개를 하셨습니다. {seconds}초 뒤에 다시 질문해 주세요.",
        "limit_person_waiting": "답변을 기다리는 질문이 {most}개 있습니다. 하나가 답변되면 다시 질문해 주세요.",
        "limit_workspace_per_minute": "회사 질문이 1분에 {most}개입니다. {seconds}초 뒤에 다시 질문해 주세요.",
        "limit_workspace_waiting": "회사 전체에서 질문 {most}개가 답변을 기다립니다. 몇 분 뒤에 다시 질문해 주세요.",
        "apology": "문제가 생겼습니다. 다시 질문해 주세요. 계속되면 관리자에게 답변 번호 {id}을(를) 알려 주세요.",
    },
}


def say(phrase: str, language: Language, **values: object) -> str:
    """One phrase in one language."""
    return PHRASES[language][phrase].format(**values)
