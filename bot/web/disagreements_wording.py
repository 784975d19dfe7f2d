"""The words of the page of disagreements, in both languages; they are part of the console's."""

from collections.abc import Mapping

from core.prompt import Language

DISAGREEMENTS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "room_disagreements": "Disagreements",
        "disagreements_promise": "Answers that people judge differently. Nothing is learnt from undecided votes until "
        "you say who is right. What you say counts from the next collection on, before any vote.",
        "no_disagreements": "Nobody disagrees here.",
        "disagreements_keys": "Keys: {next} next, {back} back, {right} the answer is right, {wrong} it is wrong, "
        "{unclear} nobody can tell, {why} passages",
        "which_undecided": "undecided",
        "which_outvoted": "some were outvoted",
        "which_settled": "settled by you",
        "label_passages": "Passages as served",
        "label_right": "The answer is right",
        "label_wrong": "It is wrong",
        "label_nobody": "Nobody can tell",
        "label_approve": "settled: right",
        "label_reject": "settled: wrong",
        "label_unclear": "settled: nobody can tell",
        "answer_unknown": "There is no such answer.",
        "drop_settled_otherwise": "an administrator sided with the others",
    },
    "ko": {
        "room_disagreements": "엇갈린 평가",
        "disagreements_promise": "사람마다 평가가 다른 답변입니다. 결정되지 않은 평가는 관리자가 정하기 전까지 "
        "학습하지 않습니다. 정한 내용은 다음 수집부터 다른 평가보다 먼저 반영됩니다.",
        "no_disagreements": "엇갈린 평가가 없습니다.",
        "disagreements_keys": "단축키: {next} 다음, {back} 이전, {right} 맞는 답변, {wrong} 틀린 답변, "
        "{unclear} 판단할 수 없음, {why} 문단",
        "which_undecided": "결정되지 않음",
        "which_outvoted": "일부 평가가 밀림",
        "which_settled": "관리자가 정함",
        "label_passages": "전달된 문단",
        "label_right": "맞는 답변",
        "label_wrong": "틀린 답변",
        "label_nobody": "판단할 수 없음",
        "label_approve": "정함: 맞음",
        "label_reject": "정함: 틀림",
        "label_unclear": "정함: 판단할 수 없음",
        "answer_unknown": "해당 답변이 없습니다.",
        "drop_settled_otherwise": "관리자가 다른 평가를 택함",
    },
}
