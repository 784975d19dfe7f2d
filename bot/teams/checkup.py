"""What the doctor looks at in Teams: the endpoint as Teams reaches it, and whether people and groups can be known."""

from http import HTTPStatus
from pathlib import Path

import aiohttp

from bot.check import Check
from bot.teams.activities import PATH
from bot.teams.graph import Graph
from bot.teams.groups_file import load_groups
from core.errors import InvalidInputError

ANSWER_SECONDS = 10.0
_ENDPOINT, _PEOPLE = "teams endpoint", "teams people"


async def check_endpoint(base_url: str) -> Check:
    """Whether an activity without a token is refused at the address that the registration must name.

    Side effects: one request to ourselves.
    """
    url = base_url + PATH
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json={}) as response:
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        advice = "start `nightbake up`; Teams must reach this address too"
        return Check(_ENDPOINT, "note", f"{url} does not answer ({type(error).__name__}); {advice}")
    if status == HTTPStatus.UNAUTHORIZED:
        advice = "it is what *Messaging endpoint* of the Azure Bot must name"
        return Check(_ENDPOINT, "ok", f"{url} refuses what has no token; {advice}")
    advice = "look at what stands between, or at PUBLIC_URL"
    return Check(_ENDPOINT, "problem", f"expected status 401 from {url}, got {status}; {advice}")


async def check_people(graph: Graph | None, groups_file: Path | None) -> Check:
    """Whether Graph tells of people and groups, and the file can be read.

    Side effects: a token and three requests to Graph.
    """
    try:
        load_groups(groups_file)
    except InvalidInputError as error:
        return Check(_PEOPLE, "problem", str(error))
    if graph and (fault := await graph.check()):
        return Check(_PEOPLE, "problem", fault)
    if graph:
        return Check(_PEOPLE, "ok", "Microsoft Graph tells of people and groups")
    if groups_file:
        return Check(_PEOPLE, "ok", f"groups come from {groups_file}; TEAMS_GRAPH asks the directory too")
    return Check(_PEOPLE, "ok", "nobody is in a group: neither TEAMS_GRAPH nor TEAMS_GROUPS_FILE is set")
