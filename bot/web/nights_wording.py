"""Why a night ended as it did, in both languages; each word's name is `reason_` and the stored reason."""

from collections.abc import Mapping

from core.prompt import Language

NIGHTS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "reason_better": "better than what was served",
        "reason_awaits_approval": "better; awaits your approval",
        "reason_on_trial": "better; on trial for a share of the conversations",
        "reason_trial_passed": "better, also on trial",
        "reason_trial_harmful": "disliked on trial, and taken back",
        "reason_not_enough_evidence": "too few held-out pairs tell the models apart",
        "reason_not_served": "the served model could not be proven",
        "reason_not_the_trained_model": "the server does not compute what was trained",
        "reason_worse": "worse than what is served",
        "reason_not_proven_better": "chance explains the difference as well",
        "reason_less_grounded": "keeps less to the passages",
        "reason_too_few_pairs": "too few votes to train on; they are kept",
        "reason_no_room": "no room on the GPU to train",
        "reason_no_time": "too little time to train before the night must be done",
        "reason_paused": "nights were paused; votes are kept",
        "reason_failed": "nothing was changed",
    },
    "ko": {
        "reason_better": "서비스하던 모델보다 나음",
        "reason_awaits_approval": "더 나음, 승인 대기",
        "reason_on_trial": "더 나음, 일부 대화에서 시험 중",
        "reason_trial_passed": "더 나음, 시험 통과",
        "reason_trial_harmful": "시험 중 평가가 나빠 되돌림",
        "reason_not_enough_evidence": "두 모델을 구별하는 검증용 쌍이 부족함",
        "reason_not_served": "서비스될 모델을 확인하지 못함",
        "reason_not_the_trained_model": "서버의 계산 결과가 학습한 모델과 다름",
        "reason_worse": "서비스 중인 모델보다 못함",
        "reason_not_proven_better": "우연으로도 설명되는 차이",
        "reason_less_grounded": "답변이 문서에서 더 벗어남",
        "reason_too_few_pairs": "학습할 평가가 부족하여 보관함",
        "reason_no_room": "GPU에 학습할 공간이 없음",
        "reason_no_time": "정해진 시각까지 학습할 시간이 부족함",
        "reason_paused": "야간 학습이 일시 중지되어 평가를 보관함",
        "reason_failed": "바뀐 것 없음",
    },
}
