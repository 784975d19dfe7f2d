"""Held-out answers: how they are generated, and the rules by which they are judged."""

import pytest
import torch

from core.prompt import PromptPassage
from learning.starter_chats import render_prompt
from learning.starter_evaluate import MAX_NEW_TOKENS, choose_held_out, count_right, generate_group, judge
from learning.starter_examples import Branch, Group, refusal
from tests.learning.tiny_chat import ByteTokenizer, make_llama

DAYS = Branch("How many days?", "Staff get 17 days. [2]", "en", ("17 days",), 2, "contains")
PASSAGES = (PromptPassage("Pay", "", "Paid monthly."), PromptPassage("Leave", "", "Staff get 17 days."))


@pytest.fixture
def model():
    return make_llama(1, eos_token_id=2, pad_token_id=2).eval()


def test_branches_decoded_side_by_side_answer_as_if_alone(model):
    tokenizer = ByteTokenizer()
    group = Group("set", PASSAGES, (DAYS, refusal("When is lunch served?"), refusal("휴가는 며칠인가요?")))

    together = generate_group(model, tokenizer, group)

    for branch, answer in zip(group.branches, together, strict=True):
        prompt = torch.tensor([tokenizer.encode(render_prompt(group, branch.question, tokenizer), False)])
        alone = model.generate(prompt, max_new_tokens=MAX_NEW_TOKENS[branch.language], do_sample=False)
        tokens = [token for token in alone[0, prompt.shape[1] :].tolist() if token != 2]
        assert answer == tokenizer.decode(tokens, True)


def test_a_right_answer_holds_the_fact_and_cites_its_passage():
    judged = judge("set", DAYS, "Staff get 17 days. [2]")

    assert (judged.answer_in_output, judged.citation, judged.false_refusal) == (True, True, False)
    assert judged.refusal is None


@pytest.mark.parametrize("output", ["Staff get 17 days.", "Staff get 17 days. [1]", "Staff get 17 days. [1][2]"])
def test_a_missing_wrong_or_second_citation_is_wrong(output):
    assert judge("set", DAYS, output).citation is False


def test_a_changed_number_is_not_the_answer():
    assert judge("set", DAYS, "Staff get 71 days. [2]").answer_in_output is False


def test_a_refusal_must_be_in_the_language_of_the_question():
    asked = refusal("휴가는 며칠인가요?")

    assert judge("set", asked, "문서에 나와 있지 않습니다.").refusal is True
    assert judge("set", asked, "The documents do not say.").refusal is False


def test_refusing_an_answerable_question_is_a_false_refusal():
    assert judge("set", DAYS, "The documents do not say.").false_refusal is True


def test_without_a_short_answer_seven_tenths_of_the_sentence_must_be_there():
    sentence = "Badges open every door between dawn and dusk"
    branch = Branch("Badges?", sentence, "en", (sentence,), 1, "overlap")

    assert judge("set", branch, "Badges open every door at dawn [1]").answer_in_output is True
    assert judge("set", branch, "Badges open doors at night [1]").answer_in_output is False


def test_counts_keep_the_languages_apart():
    asked = refusal("휴가는 며칠인가요?")
    judged = [judge("s", DAYS, "17 days [2]"), judge("s", DAYS, "no"), judge("s", asked, asked.answer)]

    counts = count_right(judged)

    assert counts["en"]["answer_in_output"] == {"right": 1, "of": 2}
    assert counts["en"]["refusal"] == {"right": 0, "of": 0}
    assert counts["ko"]["refusal"] == {"right": 1, "of": 1}


def test_held_out_groups_are_taken_until_both_counts_are_met():
    group = Group("set", PASSAGES, (DAYS, DAYS, DAYS, refusal("When is lunch?")))

    chosen = choose_held_out(iter([group] * 9), answerable=5, unanswerable=1, per_group=2)

    assert [len(one.branches) for one in chosen] == [3, 2, 1]
