"""`nightbake doctor`: every part looked at, each with one line: ok, or what to do."""

import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Literal

import click

from bot.check import Check
from bot.slack.api import OneToken, SlackApi
from bot.slack.checkup import check_channels, check_endpoint, check_socket, check_token
from bot.slack.side import build_installations
from bot.teams.checkup import check_endpoint as check_endpoint_of_teams
from bot.teams.checkup import check_people
from bot.teams.clouds import CLOUDS
from bot.teams.connector import check_credentials
from bot.teams.package import check_identity
from bot.teams.side import build_tenant_graph
from bot.web.settings import read_sign_in
from bot.web.sign_in import BACK_PATH
from cli.embedding import describe_change
from cli.house import House, open_house
from cli.output import EXIT_FAILED, command, console, emit, escape, json_option, read_settings
from cli.sources import build_sources
from core.errors import DatabaseError, NightbakeError
from core.migrate import find_migrations
from core.pauses import Pauses
from core.settings import Settings, read_list
from retrieval.fusion_calibration import find_calibrations, find_outdated
from retrieval.index_health import measure_index
from retrieval.learned_order import find_trained
from retrieval.ledger import find_states
from retrieval.model_change import find_left

Status = Literal["ok", "note", "problem"]
COLOURS: dict[Status, str] = {"ok": "green", "note": "yellow", "problem": "red"}
LEAST_FREE_GIB = 5
OLDEST_POSTGRES = 15
# Of the ten nearest vectors: what the scan was built for.
LEAST_RECALL = 0.95


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and what to do unless it is ok."""

    part: str
    status: Status
    detail: str


@click.command()
@json_option
@command
async def doctor(as_json: bool) -> None:
    """Check settings, database, documents, model server, adapter, Slack and Teams.

    Exit code 1 means that at least one line is a problem.
    """
    settings = read_settings()
    findings = [Finding("settings", "ok", "complete"), _look_at_disk(settings)]
    try:
        async with open_house(settings) as house:
            findings += [finding async for finding in _look_around(house)]
    except DatabaseError as error:
        findings.append(Finding("database", "problem", str(error)))
    if as_json:
        emit({"ok": _is_well(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            mark = f"[{COLOURS[finding.status]}]{finding.status:<8}[/]"
            console.print(f"{mark}{finding.part:<16}{escape(finding.detail)}", soft_wrap=True)
    if not _is_well(findings):
        raise SystemExit(EXIT_FAILED)


def _is_well(findings: list[Finding]) -> bool:
    return all(finding.status != "problem" for finding in findings)


async def _look_around(house: House) -> AsyncGenerator[Finding]:
    for look in (
        _look_at_database,
        _look_at_migrations,
        _look_at_documents,
        _look_at_index,
        _look_at_sources,
        _look_at_embedding,
        _look_at_fusion,
        _look_at_synonyms,
        _look_at_votes,
        _look_at_model_server,
        _look_at_adapter,
        _look_at_nights,
        _look_at_sign_in,
        _look_at_slack,
        _look_at_slack_socket,
        _look_at_slack_endpoint,
        _look_at_slack_channels,
        _look_at_teams,
        _look_at_teams_endpoint,
        _look_at_teams_people,
    ):
        yield await _careful(look, house)


async def _careful(look: Callable[[House], Awaitable[Finding]], house: House) -> Finding:
    """One part that breaks must not hide the others."""
    try:
        return await look(house)
    except Exception as error:
        part = look.__name__.removeprefix("_look_at_").replace("_", " ")
        detail = str(error) if isinstance(error, NightbakeError) else f"{type(error).__name__}: {error}"
        return Finding(part, "problem", detail)


def _look_at_disk(settings: Settings) -> Finding:
    home = settings.nightbake_home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free / 2**30
    if free < LEAST_FREE_GIB:
        return Finding("disk", "problem", f"expected {LEAST_FREE_GIB} GiB free in {home}, got {free:.1f}; make room")
    return Finding("disk", "ok", f"{free:.0f} GiB free in {home}")


async def _look_at_database(house: House) -> Finding:
    rows = await house.database.fetch_dicts(
        b"SELECT current_setting('server_version_num')::integer AS number, current_setting('server_version') AS name,"
        b" (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector"
    )
    found = rows[0]
    if found["number"] < OLDEST_POSTGRES * 10000:
        return Finding("database", "problem", f"expected PostgreSQL {OLDEST_POSTGRES} or later, got {found['name']}")
    kind = "own" if house.settings.database_url else "embedded"
    return Finding("database", "ok", f"{kind} PostgreSQL {found['name']}, pgvector {found['vector']}")


async def _look_at_migrations(house: House) -> Finding:
    return Finding("migrations", "ok", f"all {len(find_migrations())} applied")


async def _look_at_documents(house: House) -> Finding:
    stored, errors = await house.documents.find_all(), await house.documents.find_errors()
    if not stored:
        return Finding("documents", "note", "none yet; run `nightbake ingest FOLDER`")
    if errors:
        names = ", ".join(error.path for error in errors[:3])
        return Finding("documents", "note", f"{len(stored)} stored, {len(errors)} could not be read: {names}")
    return Finding("documents", "ok", f"{len(stored)} stored")


async def _look_at_index(house: House) -> Finding:
    health = await measure_index(house.database, (await house.search.active.find()).name)
    postings, vectors = (f"{size / 1e6:.0f} MB" for size in (health.posting_bytes, health.vector_bytes))
    detail = f"{health.chunks} chunks, words {postings}, vectors {vectors}"
    if health.recall is None:
        return Finding("index", "ok", detail)
    detail += f"; the scan of vectors finds {health.recall:.0%} of the ten nearest"
    if health.recall < LEAST_RECALL:
        advice = f"expected {LEAST_RECALL:.0%}: the signs of this model's vectors tell too little, take another model"
        return Finding("index", "note", f"{detail}; {advice}")
    return Finding("index", "ok", detail)


async def _look_at_sources(house: House) -> Finding:
    configured = {source.name for source in build_sources(house.settings)}
    if not configured:
        return Finding("sources", "ok", "not configured; docs/sources.md says how")
    states = [state for state in await find_states(house.database) if state.name in configured]
    away = [f"{state.name}: {state.error}" for state in states if state.error]
    if away:
        return Finding("sources", "problem", "; ".join(away))
    if unread := sorted(configured - {state.name for state in states if state.finished_at}):
        return Finding("sources", "note", f"not read yet: {', '.join(unread)}; run `nightbake sources sync`")
    return Finding("sources", "ok", f"{len(configured)} read")


async def _look_at_embedding(house: House) -> Finding:
    await house.search.active.load()
    if change := await describe_change(house):
        advice = f"`nightbake up` goes on with it, and `nightbake documents reindex --model {house.embedder.name}` too"
        is_blind = (await house.search.active.find()).embedder is None
        return Finding("embedding", "problem" if is_blind else "note", f"{change}; {advice}")
    languages = ", ".join(sorted(house.embedder.languages))
    detail = f"{house.embedder.name}, reads {languages}; other languages are found by words"
    if left := await find_left(house.database, keep=house.embedder.name):
        names = ", ".join(f"{one.name} ({one.vectors})" for one in left)
        advice = "`nightbake documents reindex --drop-old` deletes them"
        return Finding("embedding", "note", f"{detail}; vectors of {names} are kept for the way back, {advice}")
    return Finding("embedding", "ok", detail)


async def _look_at_fusion(house: House) -> Finding:
    embedder = await house.search.active.find_embedder()
    measured = await find_calibrations(house.database, embedder.name)
    outdated = await find_outdated(house.database, embedder)
    if not measured and not outdated:
        return Finding("fusion", "ok", "not measured: there are few documents that the embedding model reads")
    told = "; ".join(
        f"{one.language}: meaning {one.dense_share:.0%} of its weight (MRR@10 on {one.questions} made questions: "
        f"meaning {one.dense_mrr:.2f}, words {one.lexical_mrr:.2f}, both {one.fused_mrr:.2f})"
        for one in measured.values()
    )
    if blind := [one.language for one in measured.values() if not one.dense_share]:
        advice = f"{embedder.name} cannot read {', '.join(blind)} here: choose another EMBEDDING_MODEL"
        return Finding("fusion", "note", f"{told}; {advice}, or take it out of EMBEDDING_LANGUAGES")
    if outdated:
        advice = f"{', '.join(outdated)} changed since it was measured; the next `nightbake ingest` measures again"
        return Finding("fusion", "note", f"{told}; {advice}" if told else advice)
    return Finding("fusion", "ok", told)


async def _look_at_synonyms(house: House) -> Finding:
    if house.settings.synonyms_file is None:
        return Finding("synonyms", "ok", "no SYNONYMS_FILE; docs/retrieval.md says what it can hold")
    groups, words = len(house.dictionary.groups), len(house.dictionary.words)
    return Finding("synonyms", "ok", f"groups: {groups}, company words: {words}, from {house.settings.synonyms_file}")


async def _look_at_votes(house: House) -> Finding:
    rows = await house.database.fetch_dicts(
        b"SELECT (SELECT count(DISTINCT chunk_id) FROM taught_terms) AS passages,"
        b" (SELECT count(*) FROM untaught_votes) AS waiting"
    )
    told = f"{rows[0]['passages']} passages learnt from votes, {rows[0]['waiting']} votes wait"
    trained = await find_trained(house.database, (await house.search.active.find()).name)
    if trained is None:
        return Finding("votes", "ok", f"{told}; learned order: off, no night has trained it")
    figures = (
        f"nDCG@10 {trained.rank_ndcg:.3f} ± {trained.gain_error:.3f} against {trained.fused_ndcg:.3f} of the fusion "
        f"on {trained.questions} held-out questions"
    )
    return Finding("votes", "ok", f"{told}; learned order: {'on' if trained.is_used else 'off'}, {figures}")


async def _look_at_model_server(house: House) -> Finding:
    server = house.model_server
    if await server.is_healthy():
        return Finding("model server", "ok", f"{server.model} at {server.url}")
    if house.is_embedded_model:
        return Finding("model server", "note", "not running; `nightbake up` starts it, until then answers are quoted")
    return Finding(
        "model server", "problem", f"no {server.model!r} at {server.url}; start vLLM there, check MODEL_URL, MODEL_NAME"
    )


async def _look_at_adapter(house: House) -> Finding:
    active = await house.adapters.find_active()
    if active is None:
        return Finding("adapter", "ok", "none: the base model answers")
    if not await house.model_server.is_healthy():
        return Finding("adapter", "note", f"{active.name}; it is loaded when the model server runs")
    if active.name in await house.model_server.find_models():
        return Finding("adapter", "ok", f"{active.name} is served")
    return Finding("adapter", "problem", f"{active.name} is not loaded; run `nightbake adapters promote {active.name}`")


async def _look_at_nights(house: House) -> Finding:
    last = await Pauses(house.database).find()
    if last and last.paused:
        detail = f"paused by {last.set_by} since {last.set_at:%Y-%m-%d %H:%M}; `nightbake night --resume` ends it"
        return Finding("nights", "note", detail)
    return Finding("nights", "ok", f"every day at {house.settings.night_time} {house.settings.night_time_zone}")


async def _look_at_sign_in(house: House) -> Finding:
    sign_in = read_sign_in(house.settings)
    if sign_in is None:
        return Finding("sign in", "ok", "not configured; docs/operations.md says how")
    try:
        await sign_in.provider.build_address(state="", nonce="", verifier="")
    finally:
        await sign_in.provider.close()
    back = house.settings.base_url + BACK_PATH
    return Finding("sign in", "ok", f"{sign_in.provider.issuer} describes itself; it must know the address {back}")


async def _look_at_slack(house: House) -> Finding:
    settings = house.settings
    if settings.slack_bot_token:
        api = SlackApi(OneToken(settings.slack_bot_token.get_secret_value()), api_url=settings.slack_api_url)
        return _to_finding(await check_token(api))
    if not settings.slack_client_id:
        return Finding("slack token", "ok", "Slack is not configured; docs/slack.md says how")
    installations = build_installations(settings, house.database)
    places = await installations.find_places()
    if not places:
        return Finding("slack token", "note", f"no workspace yet; open {settings.base_url}/slack/install")
    api = SlackApi(installations, api_url=settings.slack_api_url)
    checks = [(place, await check_token(api, place)) for place in places]
    if faults := [f"{place}: {check.detail}" for place, check in checks if check.status == "problem"]:
        return Finding("slack token", "problem", "; ".join(faults))
    return Finding("slack token", "ok", f"scopes fit in {', '.join(places)}")


async def _look_at_slack_socket(house: House) -> Finding:
    settings = house.settings
    if not settings.slack_app_token:
        return Finding("slack socket", "ok", "not used: no SLACK_APP_TOKEN")
    return _to_finding(await check_socket(settings.slack_app_token.get_secret_value(), api_url=settings.slack_api_url))


async def _look_at_slack_endpoint(house: House) -> Finding:
    settings = house.settings
    if not settings.slack_signing_secret:
        return Finding("slack endpoint", "ok", "not used: no SLACK_SIGNING_SECRET")
    secret = settings.slack_signing_secret.get_secret_value()
    return _to_finding(await check_endpoint(secret, base_url=settings.base_url))


async def _look_at_slack_channels(house: House) -> Finding:
    settings = house.settings
    channels: dict[str, tuple[str, str]] = {}
    if settings.slack_admin_channel:
        team, _, channel = settings.slack_admin_channel.rpartition("/")
        channels["SLACK_ADMIN_CHANNEL"] = (team, channel)
    if settings.slack_expert_channel:
        channels["SLACK_EXPERT_CHANNEL"] = ("", settings.slack_expert_channel)
    if not channels:
        return Finding("slack channels", "ok", "not used: no SLACK_ADMIN_CHANNEL, no SLACK_EXPERT_CHANNEL")
    if settings.slack_bot_token:
        token = settings.slack_bot_token.get_secret_value()
        return _to_finding(await check_channels(SlackApi(OneToken(token), api_url=settings.slack_api_url), channels))
    if not settings.slack_client_id:
        return Finding("slack channels", "note", "Slack is not configured, so nothing is posted there")
    installations = build_installations(settings, house.database)
    places = await installations.find_places()
    if len(places) == 1:
        channels = {name: (team or places[0], channel) for name, (team, channel) in channels.items()}
    # Whose the channel of experts is, only the one who asked tells.
    known = {name: place for name, place in channels.items() if place[0]}
    if not known:
        return Finding("slack channels", "note", f"not looked at, for the app is installed in {len(places)} workspaces")
    return _to_finding(await check_channels(SlackApi(installations, api_url=settings.slack_api_url), known))


def _to_finding(check: Check) -> Finding:
    return Finding(check.part, check.status, check.detail)


async def _look_at_teams(house: House) -> Finding:
    settings = house.settings
    if settings.teams_without_authentication:
        return Finding("teams", "note", "takes anything from this machine; unset TEAMS_WITHOUT_AUTHENTICATION to serve")
    if not settings.teams_app_id or not settings.teams_app_password or not settings.teams_tenant_id:
        return Finding("teams", "ok", "not configured; docs/teams.md says how")
    password, tenant = settings.teams_app_password.get_secret_value(), read_list(settings.teams_tenant_id)[0]
    faults = check_identity(settings.teams_app_id, settings.base_url)
    faults += filter(
        None, [await check_credentials(settings.teams_app_id, password, tenant, CLOUDS[settings.teams_cloud])]
    )
    if faults:
        return Finding("teams", "problem", "; ".join(faults))
    unset = {
        "TEAMS_EXPERT_CHANNEL, so nobody is asked": settings.teams_expert_channel,
        "TEAMS_ADMIN_CHAT, so no report is posted": settings.teams_admin_chat,
    }
    missing = "; ".join(f"no {name}" for name, value in unset.items() if not value)
    return Finding("teams", "ok", f"the registration gives a token; {missing or 'settings fit'}")


async def _look_at_teams_endpoint(house: House) -> Finding:
    if not house.settings.has_teams:
        return Finding("teams endpoint", "ok", "not used")
    return _to_finding(await check_endpoint_of_teams(house.settings.base_url))


async def _look_at_teams_people(house: House) -> Finding:
    if not house.settings.has_teams:
        return Finding("teams people", "ok", "not used")
    graph = build_tenant_graph(house.settings)
    try:
        return _to_finding(await check_people(graph, house.settings.teams_groups_file))
    finally:
        if graph:
            await graph.close()
