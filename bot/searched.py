"""What a person is told where something else was searched than what was typed."""

from bot.phrases import say
from core.prompt import Language
from retrieval.query import Found
from retrieval.query_filters import Filters


def describe_search(found: Found, language: Language) -> str:
    """One or two short sentences; empty where the question was searched as it stands."""
    told = [say("searched_for", language, searched=one.searched, typed=one.typed) for one in found.changes]
    if found.filters:
        told.append(say("searched_filtered", language, filters=_describe(found.filters, language)))
    if found.dropped:
        told.append(say("filter_dropped", language, filters=_describe(found.dropped, language)))
    return " ".join(told)


def _describe(filters: Filters, language: Language) -> str:
    named = {"changed_from": filters.changed_from, "changed_until": filters.changed_until}
    parts = [say(phrase, language, day=day.isoformat()) for phrase, day in named.items() if day]
    parts += [say("owned_by", language, owner=filters.owner)] if filters.owner else []
    return ", ".join(parts)
