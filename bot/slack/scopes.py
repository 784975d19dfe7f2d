"""Each event that Slack is asked for with the scope it needs, and all scopes together, from where they are used."""

from bot.slack import changes, directory, experts, home, posts, reactions, threads
from bot.slack.api import METHOD_SCOPES

EVENT_SCOPES = {
    **posts.EVENT_SCOPES,
    **changes.EVENT_SCOPES,
    **threads.EVENT_SCOPES,
    **reactions.EVENT_SCOPES,
    **experts.EVENT_SCOPES,
    **directory.EVENT_SCOPES,
    **home.EVENT_SCOPES,
}
# What tells that an app is no longer installed; it needs no scope, and matters where tokens are stored.
INSTALL_EVENTS = ("app_uninstalled", "tokens_revoked")
SCOPES = frozenset({*filter(None, [*EVENT_SCOPES.values(), *METHOD_SCOPES.values()]), *directory.FURTHER_SCOPES})
