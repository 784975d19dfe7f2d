"""A golden question as a model without passages is asked it: alone, or after examples. Pure."""

from collections.abc import Mapping, Sequence

from core.prompt import REFUSALS, Language, Message, PromptExample, build_turns

FROM_MEMORY: Mapping[Language, str] = {
    "en": "Answer employees' questions in one or two sentences from what you know, in the language of the question. "
    f"If you do not know, reply: {REFUSALS['en']}",
    "ko": "직원의 질문에 아는 대로 질문과 같은 언어로 한두 문장으로 답하세요. "
    f"모르면 이렇게 답하세요: {REFUSALS['ko']}",
}


def build_question(question: str, language: Language, examples: Sequence[PromptExample] = ()) -> list[Message]:
    """The instruction, the examples as turns that went well, the question."""
    turns = [turn for example in examples for turn in build_turns(example)]
    asked = build_turns(PromptExample(question, ""))[0]
    return [{"role": "system", "content": FROM_MEMORY[language]}, *turns, asked]
