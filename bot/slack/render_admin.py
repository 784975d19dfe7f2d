"""What admins see in their channel: the night's report with its buttons, alerts, and what became of a click. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from bot.admin_messages import Trial
from bot.admin_wording import ADMIN_PHRASES, say_admin, say_trial
from bot.alerts import Alert
from bot.desk import ACTS, Act, Night, Outcome, Switch
from bot.markdown import split_markdown
from bot.slack.blocks import Block, context, escape, mrkdwn, plain
from bot.slack.markdown import make_safe
from bot.slack.render import MESSAGE_CHARACTERS
from core.durations import say_duration
from core.prompt import Language

ACTIONS: dict[Act, str] = {act: f"night_{act}" for act in ACTS}
MOST_SWITCHES = 5


def render_report(night: Night, markdown: str, language: Language, *, base_url: str) -> list[Block]:
    """The report up to its first section, what was done since, and what may be decided now."""
    head, _, _ = markdown.partition("\n## ")
    words = ADMIN_PHRASES[language]
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
        facts["duration"] = say_duration(alert.facts["seconds"], language)
    text = say_admin(alert.kind, language, subject=escape(alert.subject), **facts)
    return f":rotating_light: {text.replace('**', '*')}"


def render_clear(alert: Alert, language: Language) -> str:
    """That it is over."""
    assert alert.cleared_at
    seconds = (alert.cleared_at - alert.raised_at).total_seconds()
    return f":white_check_mark: {say_admin('clear', language, duration=say_duration(seconds, language))}"


def render_trial(trial: Trial, language: Language) -> str:
    """How a trial ended, in Slack's markup."""
    sign = ":white_check_mark:" if trial.passed else ":rotating_light:"
    return f"{sign} {say_trial(trial, language).replace('**', '*')}"


def render_text(text: str) -> list[Block]:
    """A message of one section."""
    return [{"type": "section", "text": mrkdwn(text)}]


def say_outcome(outcome: Outcome, language: Language, error: str = "") -> str:
    """Why a click changed nothing."""
    return ADMIN_PHRASES[language][outcome].format(error=escape(error))


def say_refused(language: Language) -> str:
    """To somebody who may not."""
    return ADMIN_PHRASES[language]["refused"]


def read_value(value: str) -> int | None:
    """The run that a button names; None where it is no button of ours."""
    try:
        run_id: Any = json.loads(value)["run_id"]
    except (ValueError, TypeError, KeyError):
        return None
    return run_id if isinstance(run_id, int) else None


def _render_button(act: Act, night: Night, language: Language) -> Block:
    words = ADMIN_PHRASES[language]
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
    words = ADMIN_PHRASES[language]
    what = f"`{switch.name}`" if switch.name else words["base"]
    return words["switched"].format(who=_mention(switch.switched_by), what=what)


def _mention(person: str) -> str:
    """A person of Slack by name; who came another way as the log knows them."""
    parts: Sequence[str] = person.split(":")
    return f"<@{parts[2]}>" if parts[0] == "slack" and len(parts) == 3 else f"`{escape(person)}`"
