"""What admins see in their chat: the night's report with its buttons, alerts, and what became of a click. Pure."""

import re

from bot.admin_messages import Trial
from bot.admin_wording import ADMIN_PHRASES, say_admin, say_trial
from bot.alerts import Alert
from bot.desk import Act, Night, Outcome, Switch
from bot.teams.cards import Card, make_attachment, make_card, make_execute, make_text
from bot.teams.connector import Message
from bot.teams.markdown import split, to_markdown
from core.durations import say_duration
from core.prompt import Language

# The verb of all acts.
ACT = "night"
MOST_SWITCHES = 5

_LEAD = re.compile(r"\A\*\*(.+?)\*\*\s*(.*)\Z")
_CODE = re.compile(r"(?<!\\)`")
_ESCAPED = re.compile(r"\\([\\`*_|<>\[\]])")


def render_report(
    night: Night, markdown: str, language: Language, *, base_url: str, notes: tuple[str, ...] = ()
) -> Message:
    """The report up to its first section, what was done since, and what may be decided now.

    Args:
        notes: why the last click changed nothing.
    """
    head, _, _ = markdown.partition("\n## ")
    done = [_say_switch(switch, language) for switch in night.switches[-MOST_SWITCHES:]]
    if night.paused_by:
        done.append(say_admin("paused", language, who=night.paused_by))
    body = [element for line in head.splitlines() if line.strip() for element in _render_line(line)]
    body += [make_text(line.replace("`", ""), isSubtle=True) for line in (*done, *notes)]
    opener = {"type": "Action.OpenUrl", "title": say_admin("open", language)}
    buttons = [_render_button(act, night, language) for act in night.find_acts()]
    card = make_card(body, [*buttons, {**opener, "url": f"{base_url}/console/nights/{night.id}"}])
    return {"attachments": [make_attachment(card)]}


def render_details(markdown: str) -> list[Message]:
    """The rest of the report, in messages of Markdown; none where there is no more."""
    _, sign, rest = markdown.partition("\n## ")
    return [{"text": piece} for piece in split(to_markdown(f"## {rest}"))] if sign else []


def render_alert(alert: Alert, language: Language) -> Message:
    """What is wrong and what to do."""
    facts = {name: to_markdown(str(value)) for name, value in alert.facts.items()}
    if "seconds" in alert.facts:
        facts["duration"] = say_duration(alert.facts["seconds"], language)
    return {"text": f"🚨 {say_admin(alert.kind, language, subject=to_markdown(alert.subject), **facts)}"}


def render_clear(alert: Alert, language: Language) -> Message:
    """That it is over."""
    assert alert.cleared_at
    seconds = (alert.cleared_at - alert.raised_at).total_seconds()
    return {"text": f"✅ {say_admin('clear', language, duration=say_duration(seconds, language))}"}


def render_trial(trial: Trial, language: Language) -> Message:
    """How a trial ended."""
    return {"text": f"{'✅' if trial.passed else '🚨'} {say_trial(trial, language)}"}


def say_outcome(outcome: Outcome, language: Language, error: str = "") -> str:
    """Why a click changed nothing."""
    return say_admin(outcome, language, error=error)


def _render_line(line: str) -> list[Card]:
    """A line of the report: a heading, what it begins with in bold, a point of a list or a quotation, plain within."""
    if line.startswith("#"):
        return [make_text(_read(line.lstrip("#")), weight="Bolder", size="Large")]
    if lead := _LEAD.match(line):
        rest = [make_text(_read(lead[2]))] if lead[2] else []
        return [make_text(_read(lead[1]), weight="Bolder"), *rest]
    return [make_text(f"• {_read(line[2:])}" if line.startswith("- ") else _read(line.removeprefix("> ")))]


def _read(markdown: str) -> str:
    """The words of a line without its mark-up."""
    return _ESCAPED.sub(r"\1", _CODE.sub("", markdown)).strip()


def _render_button(act: Act, night: Night, language: Language) -> Card:
    """A button that asks once more: cards know no question before an action."""
    words = ADMIN_PHRASES[language]
    sure = make_text(words[f"{act}_sure"].format(adapter=night.adapter))
    yes = make_execute(ACT, words["yes"], {"act": act, "run_id": night.id})
    return {"type": "Action.ShowCard", "title": words[act], "card": make_card([sure], [yes])}


def _say_switch(switch: Switch, language: Language) -> str:
    what = switch.name or say_admin("base", language)
    return say_admin("switched", language, who=switch.switched_by, what=what)
