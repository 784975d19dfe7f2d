"""The house rules that a machine can check, read from the syntax trees; each failure says the broken rule in words."""

import ast
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from nightbake import COMMANDS

ROOT = Path(__file__).parent.parent
ROOMS = ("core", "retrieval", "bot", "learning", "cli")

# What each room may import of the others: imports point down.
BELOW: dict[str, set[str]] = {
    "core": set(),
    "retrieval": {"core"},
    "bot": {"core", "retrieval"},
    "learning": {"core"},
    "cli": {"core", "retrieval", "bot", "learning"},
}

TORCH = {"torch", "trl", "peft", "transformers", "datasets", "safetensors"}
# What vLLM's own processes load.
VLLM_PLUGIN = {"core/cpu_lora.py", "core/cpu_seeds.py", "core/vllm_plugin.py"}
# Training, its checks and the plugin, which run in child processes.
TORCH_AT_TOP = {
    "core/cpu_lora.py",
    "learning/bake.py",
    "learning/base_weights.py",
    "learning/child_process.py",
    "learning/held_out.py",
    "learning/kto.py",
    "learning/losses.py",
    "learning/prefix_dpo.py",
    "learning/prefix_sft.py",
    "learning/prefix_tree.py",
    "learning/recipe.py",
    "learning/reference_cache.py",
    "learning/starter_evaluate.py",
    "learning/supervised.py",
    "learning/train.py",
    "learning/tree_attention.py",
    "learning/watch.py",
}
# The service imports these, so torch waits until it is called for.
TORCH_IN_FUNCTIONS = {
    "core/base_model.py",
    "core/quantised_model.py",
    "learning/exams/bertscore.py",
    "learning/starter.py",
    "retrieval/embedding.py",
    "retrieval/openvino_encoder.py",
    "retrieval/query_encoder.py",
    "retrieval/rerank.py",
}
MOST_LINES = 400


@dataclass(frozen=True)
class Import:
    """One imported module: in which file and line, and whether inside a function."""

    file: str
    line: int
    module: str
    in_function: bool

    @property
    def package(self) -> str:
        return self.module.split(".")[0]

    @property
    def name(self) -> str:
        """The importing module."""
        return self.file.removesuffix(".py").replace("/", ".")

    @property
    def room(self) -> str:
        return self.file.split("/")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def find_files(*rooms: str, ending: str = ".py") -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob(f"*{ending}"))]


@cache
def find_imports() -> tuple[Import, ...]:
    files = [ROOT / "nightbake.py", *find_files(*ROOMS)]
    return tuple(found for path in files for found in read_imports(path))


def read_imports(path: Path) -> Iterator[Import]:
    name = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_bytes())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    inside = {id(inner) for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports name the whole path, not a relative one"
            yield Import(name, node.lineno, node.module or "", id(node) in inside)
            if node.module in ROOMS:
                for alias in node.names:
                    yield Import(name, node.lineno, f"{node.module}.{alias.name}", id(node) in inside)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, node.lineno, alias.name, id(node) in inside)


def check(rule: str, broken: Iterator[Import]) -> None:
    """Fail with the rule and every import that breaks it."""
    found = [str(one) for one in broken]
    assert not found, f"{rule}:\n" + "\n".join(found)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down(room: str) -> None:
    allowed = BELOW[room] | {room}
    rule = f"{room} may import {', '.join(sorted(BELOW[room])) or 'no room'}, never what lies above or beside it"
    above = {*ROOMS, "nightbake", "tests"} - allowed
    check(rule, (one for one in find_imports() if one.room == room and one.package in above))


def test_slack_stays_in_its_room() -> None:
    rule = "slack_bolt and slack_sdk are imported in bot/slack only"
    slack = (one for one in find_imports() if one.package in {"slack_bolt", "slack_sdk"})
    check(rule, (one for one in slack if not one.file.startswith("bot/slack/")))


def test_bot_framework_stays_in_its_room() -> None:
    rule = "botbuilder and botframework are imported in bot/teams only"
    teams = (one for one in find_imports() if one.package.startswith("bot") and one.package != "bot")
    check(rule, (one for one in teams if not one.file.startswith("bot/teams/")))


def test_bot_framework_is_imported_by_two_files_at_most() -> None:
    files = {one.file for one in find_imports() if one.package in {"botbuilder", "botframework"}}
    assert len(files) <= 2, f"the Bot Framework stands behind two files at most, it is imported in {sorted(files)}"


def test_embedding_and_reranking_fence_sentence_transformers() -> None:
    rule = "sentence_transformers is imported in retrieval/embedding.py and retrieval/rerank.py only"
    allowed = {"retrieval/embedding.py", "retrieval/rerank.py"}
    check(rule, (one for one in find_imports() if one.package == "sentence_transformers" and one.file not in allowed))


def test_torch_and_its_libraries_are_imported_by_named_files_only() -> None:
    rule = f"{', '.join(sorted(TORCH))} are imported only where this test's lists say so"
    allowed = TORCH_AT_TOP | TORCH_IN_FUNCTIONS
    check(rule, (one for one in find_imports() if one.package in TORCH and one.file not in allowed))


def test_the_service_imports_torch_inside_functions_only() -> None:
    rule = "what the service imports must import torch inside functions: a command must not wait seconds for it"
    waiting = (one for one in find_imports() if one.package in TORCH | {"sentence_transformers"})
    check(rule, (one for one in waiting if one.file in TORCH_IN_FUNCTIONS and not one.in_function))


def test_no_command_reaches_torch_by_its_imports() -> None:
    rule = "a command imports torch in a child process or inside a function, never by what it imports at its top"
    reached = find_reached({target.split(":")[0] for target in COMMANDS.values()})
    check(rule, (one for one in find_imports() if one.package in TORCH and not one.in_function and one.name in reached))


def find_reached(modules: set[str]) -> set[str]:
    """The modules with all that they import at their top, and what those import."""
    below: dict[str, set[str]] = {}
    for one in find_imports():
        if not one.in_function:
            below.setdefault(one.name, set()).add(one.module)
    reached: set[str] = set()
    while modules:
        reached |= modules
        modules = {other for module in modules for other in below.get(module, set())} - reached
    return reached


def test_the_search_for_reached_modules_follows_imports() -> None:
    assert {"bot.app", "core.settings", "learning.nightly", "core.embedded_model"} <= find_reached({"cli.up"})


def test_the_schedule_fences_apscheduler() -> None:
    rule = "apscheduler is imported in learning/schedule.py only"
    check(rule, (one for one in find_imports() if one.package == "apscheduler" and one.file != "learning/schedule.py"))


def test_vllm_is_imported_by_its_plugin_only() -> None:
    rule = "vllm is a process of its own, spoken to over HTTP"
    check(rule, (one for one in find_imports() if one.package == "vllm" and one.file not in VLLM_PLUGIN))


def test_init_files_are_empty() -> None:
    full = [str(path.relative_to(ROOT)) for path in find_files(*ROOMS, "tests") if is_full_init(path)]
    assert not full, f"__init__.py files stay empty: {full}"


def is_full_init(path: Path) -> bool:
    return path.name == "__init__.py" and path.stat().st_size > 0


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_bytes().splitlines()) for path in find_files(*ROOMS)}
    long = {file: count for file, count in lines.items() if count > MOST_LINES}
    assert not long, f"a file of more than {MOST_LINES} lines holds more than one concept: {long}"


def test_statements_lie_beside_their_module() -> None:
    lonely = [path for path in find_files(*ROOMS, ending=".sql") if not path.with_suffix(".py").exists()]
    assert not lonely, f"x.sql lies beside the x.py that runs it: {lonely}"


def test_no_placeholder_stands_inside_quotes() -> None:
    quoted = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in find_files(*ROOMS, ending=".sql")
        for found in find_quoted_placeholders(path.read_text())
    ]
    assert not quoted, f"a placeholder inside quotes is text, not a value; make_interval makes durations: {quoted}"


def find_quoted_placeholders(statements: str) -> list[str]:
    without_comments = re.sub(r"--[^\n]*", "", statements)
    literals = re.findall(r"'(?:[^']|'')*'", without_comments)
    return [literal for literal in literals if re.search(r"%(\(\w+\))?[stb]", literal)]


def test_the_search_for_quoted_placeholders_finds_them() -> None:
    statement = "-- it's\nSELECT now() - '%(days)s days'::interval, 'it''s', %(free)s, '%s'"
    assert find_quoted_placeholders(statement) == ["'%(days)s days'", "'%s'"]


def test_no_statement_is_put_together_from_pieces() -> None:
    """An f-string or a `%` in a query is how a value becomes part of a statement."""
    names = {"execute", "fetch_all", "fetch_one", "fetch_dicts"}
    mixed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in find_files(*ROOMS)
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
        if node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert not mixed, f"statements are whole and take values by placeholders: {mixed}"


def test_no_log_field_takes_a_name_that_logging_keeps_for_itself() -> None:
    """`extra={"process": …}` raises KeyError where it is logged, and ends the loop that logged it."""
    taken = {*vars(logging.makeLogRecord({})), "message", "asctime"}
    clashes = [
        f"{path.relative_to(ROOT)}:{node.lineno} {key.value!r}"
        for path in find_files(*ROOMS)
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant) and key.value in taken
    ]
    assert not clashes, f"logging refuses these names of fields: {clashes}"
