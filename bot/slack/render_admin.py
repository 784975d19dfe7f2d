"""What admins see in their channel: the night's report with its buttons, alerts, and what became of a click. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from bot.alerts import Alert
from bot.desk import ACTS, Act, Night, Outcome, Switch
from bot.slack.blocks import Block, context, escape, mrkdwn, plain
from bot.slack.markdown import make_safe, split_markdown
from bot.slack.render import MESSAGE_CHARACTERS
from core.durations import say_duration
from core.prompt import Language

ACTIONS: dict[Act, str] = {act: f"night_{act}" for act in ACTS}
MOST_SWITCHES = 5

_PHRASES: dict[Language, dict[str, str]] = {
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
        "refused": "Only admins may do that. It was written to the audit log.",
        "model_server": ":rotating_light: *The model server does not answer.* Until it does, answers are quoted "
        "from the documents. `nightbake doctor` looks at it.",
        "inbox": ":rotating_light: *Questions are waiting*: {waiting} events, the oldest for {seconds}. "
        "More come in than are worked on: raise WORKER_CONCURRENCY or start another replica.",
        "socket": ":rotating_light: *Slack's connection is silent* on {subject}. It is opened anew again and again; "
        "look at the proxy, and at `nightbake doctor`.",
        "clear": ":white_check_mark: All clear after {time}.",
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
        "refused": "관리자만 할 수 있습니다. 감사 기록에 남겼습니다.",
        "model_server": ":rotating_light: *모델 서버가 응답하지 않습니다.* 복구될 때까지 문서를 인용해 답합니다. "
        "`nightbake doctor`로 확인하세요.",
        "inbox": ":rotating_light: *질문이 밀려 있습니다*: {waiting}건, 가장 오래된 것은 {seconds}째 기다립니다. "
        "WORKER_CONCURRENCY를 올리거나 서버를 늘려 주세요.",
        "socket": ":rotating_light: {subject}에서 *Slack 연결이 끊겨 있습니다.* 계속 다시 연결하고 있습니다. "
        "프록시와 `nightbake doctor`를 확인하세요.",
        "clear": ":white_check_mark: {time} 만에 해소되었습니다.",
    },
}


def render_report(night: Night, markdown: str, language: Language, *, base_url: str) -> list[Block]:
    """The report up to its first section, what was done since, and what may be decided now."""
    head, _, _ = markdown.partition("\n## ")
    words = _PHRASES[language]
    done = [_say_switch(switch, language) for switch in night.switches[-MOST_SWITCHES:]]
    if night.paused_by:
        done.append(words["paused"].format(who=_mention(night.paused_by)))
    link = {"type": "button", "action_id": "open", "text": plain(words["open"])}
    return [
        {"type": "markdown", "text": split_markdown(make_safe(head), MESSAGE_CHARACTERS)[0]},
        *(context(line) for line in done),
        {
            "type": "actions",
            "elements": [
                *(_render_button(act, night, language) for act in night.find_acts()),
                {**link, "url": f"{base_url}/console/nights/{night.id}"},
            ],
        },
    ]


def render_details(markdown: str) -> list[str]:
    """The rest of the report, a piece for each message of the thread; none where there is no more."""
    _, sign, rest = markdown.partition("\n## ")
    return split_markdown(make_safe(f"## {rest}"), MESSAGE_CHARACTERS) if sign else []


def render_markdown(text: str) -> list[Block]:
    """A message of Markdown that was made safe."""
    return [{"type": "markdown", "text": text}]


def render_alert(alert: Alert, language: Language) -> str:
    """What is wrong and what to do, in Slack's markup."""
    facts = {name: escape(str(value)) for name, value in alert.facts.items()}
    if "seconds" in alert.facts:
        facts["seconds"] = say_duration(float(alert.facts["seconds"]), language)
    return _PHRASES[language][alert.kind].format(subject=escape(alert.subject), **facts)


def render_clear(alert: Alert, language: Language) -> str:
    """That it is over."""
    assert alert.cleared_at
    took = (alert.cleared_at - alert.raised_at).total_seconds()
    return _PHRASES[language]["clear"].format(time=say_duration(took, language))


def render_text(text: str) -> list[Block]:
    """A message of one section."""
    return [{"type": "section", "text": mrkdwn(text)}]


def say_outcome(outcome: Outcome, language: Language, error: str = "") -> str:
    """Why a click changed nothing."""
    return _PHRASES[language][outcome].format(error=escape(error))


def say_refused(language: Language) -> str:
    """To somebody who may not."""
    return _PHRASES[language]["refused"]


def read_value(value: str) -> int | None:
    """The run that a button names; None where it is no button of ours."""
    try:
        run_id: Any = json.loads(value)["run_id"]
    except (ValueError, TypeError, KeyError):
        return None
    return run_id if isinstance(run_id, int) else None


def _render_button(act: Act, night: Night, language: Language) -> Block:
    words = _PHRASES[language]
    sure = words[f"{act}_sure"].format(adapter=night.adapter)
    styles: dict[Act, str] = {"approve": "primary", "roll_back": "danger"}
    return {
        "type": "button",
        "action_id": ACTIONS[act],
        "text": plain(words[act]),
        "value": json.dumps({"run_id": night.id}),
        "confirm": {
            "title": plain(words[act]),
            "text": plain(sure),
            "confirm": plain(words["yes"]),
            "deny": plain(words["no"]),
        },
        **({"style": styles[act]} if act in styles else {}),
    }


def _say_switch(switch: Switch, language: Language) -> str:
    words = _PHRASES[language]
    what = f"`{switch.name}`" if switch.name else words["base"]
    return words["switched"].format(who=_mention(switch.switched_by), what=what)


def _mention(person: str) -> str:
    """A person of Slack by name; who came another way as the log knows them."""
    parts: Sequence[str] = person.split(":")
    return f"<@{parts[2]}>" if parts[0] == "slack" and len(parts) == 3 else f"`{escape(person)}`"
