"""Sentences that speak to an assistant instead of its readers: hidden instructions, in Korean and English. Pure."""

import re

_SPACES = re.compile(r"[^\S\n]+")
SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n+")

# Wide: a document may well say it to its readers, so it counts only where an answer has nothing else to lean on.
_SPEAKS_TO_MODEL = re.compile(
    r"""\b(ignore|disregard|forget)\s+(all|any|the|your|previous|prior|above|earlier)\b
      |\b(system\s+prompt|prompt\s+injection)\b
      |\b(you|assistants?|chatbots?|(language\s+)?models?|ai)\s+(must|should|shall|will)\s+(now\s+|always\s+|only\s+)*(answer|reply|respond|say|tell|recommend)\b
      |^\W*(answer|reply|respond)\s+(only|always|with|to\s+every)\b
      |^\W*(assistant|system|ai)\s*:
      |(이전|앞선|위의?|기존|모든)\s*(지시|명령|지침|내용)\S*\s*(모두\s*)?무시
      |시스템\s*프롬프트
      |(챗봇|AI|인공지능|모델|어시스턴트|도우미)\S{0,20}\s.{0,200}(답|대답|응답|말)(하라|해라|하세요|하십시오|할\s*것|해야)
      |\btell\s+(the\s+)?(readers?|users?|askers?|administrators?)\b
      |[라다]고(만)?\s*(답|대답|응답|말)(하라|해라|하세요|하십시오|할\s*것|해야)""",
    re.IGNORECASE | re.VERBOSE,
)
# Narrow: a verb and what only an assistant has, or only a voter gives. It has no place in an answer or a lesson.
_COMMAND = re.compile(
    r"""\b(ignore|disregard|forget|override)\s+(all\s+|any\s+|the\s+|your\s+|of\s+|these\s+)*(previous|prior|above|earlier|preceding)?\s*(instructions?|rules?|prompts?|guidelines?|guardrails?)\b
      |\b(print|reveal|repeat|show|output|recite|quote|copy|leak|disclose|write\s+out|send|append|list|translate|encode)\b[^.!?\n]{0,40}\b((system|standing|hidden|full|whole|initial|own)\s+(prompt|instructions?|message)|(your|above)\s+(prompt|instructions|rules)|api\s+keys?|(access|bot|admin|secret)\s+tokens?|(other|previous|earlier)\s+(people|users?|colleagues?|employees?)\W?s?\s+(questions?|chats?|conversations?)|questions?\s+of\s+(other|previous))
      |(👍|\bthumbs?[\s-]?up\b|\bup-?vote\b|\bvote\s+(this|the)\s+answer\b)
      |\b(approve|promote|activate|deploy|serve|roll\s+back)\b[^.!?\n]{0,30}\badapters?\b
      |\b(write|say|state|put|claim|change)\b[^.!?\n]{0,40}\b(nightly|morning|night)\s*('s\s+)?report\b
      |\btell\s+the\s+(readers?|askers?)\b
      |\b(end|finish|begin|start|close)\s+(every|each|all)\s+(answers?|repl(y|ies)|responses?)\b
      |\b(from\s+now\s+on|in\s+future),?\s+(always\s+)?(answer|reply|respond|say|tell|recommend)\b
      |(이전|앞선|위의?|앞의|기존|모든)\s*(지시|명령|지침|규칙)\S*\s*(모두\s*|전부\s*)?(무시|잊)
      |(시스템\s*프롬프트|프롬프트|(전체|숨은|내부)\s*(지시문?|지침)|토큰|API\s*키|비밀\s*키|다른\s*(사람|직원|사용자|동료)\S*\s*(질문|대화))[^.!?\n]{0,20}(출력|공개|노출|보여|알려|반복|적어|써|나열|옮겨|보내|붙여|유출)
      |(좋아요|추천|따봉)\S*\s*(버튼\S*\s*)?(을|를)?\s*(눌러|누르|달아|해\s*주)
      |어댑터\S*\s*[^.!?\n]{0,15}(승인|승격|적용|활성화|배포)
      |(보고서|리포트)\S*\s*[^.!?\n]{0,25}(라고|다고|으로)\s*(적|써|쓰|기록|바꾸|바꿔)
      |(모든|매)\s*(답변?|대답|응답)\S*\s*(끝|마지막|처음|시작|앞)[^\n]{0,160}(붙|추가|적|써|넣)
      |(지금|이제)부터\S*\s*[^.!?\n]{0,40}(라고|다고)(만)?\s*(답|대답|응답|말)""",
    re.IGNORECASE | re.VERBOSE,
)

# Read first, for most texts have none: each form of an order holds one of these.
_WORDS = (
    *"instruction rule prompt guideline guardrail message key token question chat conversation thumb vote".split(),
    *"adapter report reader asker answer repl response 👍".split(),
    *("from now", "in future"),
    *"지시 명령 지침 규칙 프롬프트 토큰 키 질문 대화 좋아요 추천 따봉 어댑터 보고서 리포트 답 응답 라고 다고".split(),
)


def speaks_to_model(sentence: str) -> bool:
    """Whether a document's sentence may be meant for the assistant that reads it."""
    return _SPEAKS_TO_MODEL.search(_SPACES.sub(" ", sentence)) is not None or is_command(sentence)


def is_command(text: str) -> bool:
    """Whether a text holds an order that nobody gives but to an assistant, or asks for votes."""
    folded = text.casefold()
    return any(word in folded for word in _WORDS) and _COMMAND.search(_SPACES.sub(" ", text)) is not None


def leave_out_instructions(source: str) -> str:
    """The sentences that speak to readers; the text itself where all do."""
    sentences = SENTENCE_END.split(source)
    kept = [sentence for sentence in sentences if not speaks_to_model(sentence)]
    return source if len(kept) == len(sentences) else "\n".join(kept)
