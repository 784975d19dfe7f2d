"""The starter adapter from the command line: errors that advise, chats as served, and a card with its figures."""

import json
from functools import partial

import pytest

from core.prompt import PromptPassage, build_messages
from learning import starter
from learning.starter_card import find_licence, render_card
from learning.starter_chats import answer_weights, build_chats, share_tokens
from learning.starter_examples import Branch, Group, refusal
from tests.learning.tiny_chat import ByteTokenizer, make_llama


@pytest.fixture
def towns(tmp_path):
    """A data folder of eight texts with one question each."""
    folder = tmp_path / "towns"
    folder.mkdir()
    texts = [{"id": str(n), "title": f"Town {n}", "text": f"The bridge opened in {1800 + n}."} for n in range(8)]
    queries = [
        {"id": f"q{n}", "text": f"When did bridge {n} open?", "answers": [str(1800 + n)], "relevant_ids": [str(n)]}
        for n in range(8)
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, texts)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    return folder


@pytest.fixture
def tiny_base(monkeypatch):
    """A two-layer random Llama in the place of the embedded model, and few held-out questions."""
    make = partial(make_llama, 0, eos_token_id=2, pad_token_id=2)
    monkeypatch.setattr(starter, "_load_model", lambda threads: (make(), ByteTokenizer()))
    monkeypatch.setattr(starter, "_ASKED_OPEN", {"en": (1, 1)})
    monkeypatch.setattr(starter, "_ASKED_OWN", {"ko": (1, 0)})


def test_a_run_writes_the_adapter_its_metrics_and_its_card(towns, tiny_base, tmp_path, capsys):
    out = tmp_path / "adapter"

    assert starter.main(["--data", str(towns), "--minutes", "0.02", "--out", str(out), "--json"]) == 0

    metrics = json.loads(capsys.readouterr().out)
    assert {path.name for path in out.iterdir()} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "metrics.json",
    }
    assert json.loads((out / "metrics.json").read_text()) == metrics
    assert metrics["training"]["examples"] > 0
    assert metrics["before"]["en"]["citation"]["of"] == metrics["after"]["en"]["citation"]["of"] == 1
    assert [path.name for path in tmp_path.glob("*.building")] == []


def test_one_machine_trains_and_another_asks(towns, tiny_base, tmp_path, capsys):
    out = tmp_path / "adapter"
    shared = ["--data", str(towns), "--out", str(out), "--json"]

    assert starter.main([*shared, "--minutes", "0.02", "--rank", "4", "--groups-per-step", "2", "--train-only"]) == 0
    assert not out.exists()
    assert json.loads(capsys.readouterr().out) == {"trained": str(tmp_path / "adapter.building")}

    assert starter.main([*shared, "--finish"]) == 0

    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["training"]["rank"], metrics["training"]["alpha"]) == (4, 8)
    assert metrics["training"]["groups_per_step"] == 2
    assert "citation right" in (out / "README.md").read_text()
    assert list(tmp_path.glob("*.building")) == []


def test_finishing_what_was_never_trained_is_advice(towns, tiny_base, tmp_path, capsys):
    assert starter.main(["--data", str(towns), "--out", str(tmp_path / "adapter"), "--finish"]) == 1
    assert "train first" in capsys.readouterr().err


def test_a_missing_data_folder_is_advice(tmp_path, capsys):
    assert starter.main(["--data", str(tmp_path / "none"), "--minutes", "1"]) == 1
    assert "takes a folder with corpus.jsonl and queries.jsonl" in capsys.readouterr().err


def test_a_folder_named_twice_is_advice(towns, capsys):
    assert starter.main(["--data", str(towns), "--data", str(towns)]) == 1
    assert "leave one out" in capsys.readouterr().err


def test_no_time_to_train_is_advice(towns, capsys):
    assert starter.main(["--data", str(towns), "--minutes", "0"]) == 1
    assert "--minutes above 0, got 0" in capsys.readouterr().err


def test_chats_are_the_served_prompt_and_the_answer():
    passages = (PromptPassage("Leave", "Days", "Staff get 17 days."),)
    branch = Branch("How many days?", "Staff get 17 days. [1]", "en", ("17",), 1, "contains")
    tokenizer = ByteTokenizer()

    first, second = build_chats(Group("set", passages, (branch, refusal("When is lunch?"))), tokenizer)

    served = tokenizer.apply_chat_template(build_messages(branch.question, passages), False, True)
    assert tokenizer.decode(first.tokens[: first.answer_start], True) == served.replace("<|im_end|>", "")
    assert tokenizer.decode(first.tokens[first.answer_start :], True) == branch.answer
    assert first.tokens[-1] == second.tokens[-1] == 2


def test_the_choice_and_the_number_weigh_more_than_copying():
    assert answer_weights(8, cites=True) == (2, 2, 2, 1, 1, 3, 1, 1)
    assert answer_weights(5, cites=False) == (2, 2, 2, 1, 1)


def test_open_sets_share_by_the_root_of_their_questions():
    shares = share_tokens({"a": 900, "b": 100, "empty": 0}, ["own-en", "own-ko"])

    assert shares == pytest.approx({"a": 0.495, "b": 0.165, "own-en": 0.17, "own-ko": 0.17})


@pytest.mark.parametrize(
    ("name", "licence"), [("squad-a", "CC BY-SA 4.0"), ("handbook-18f", "CC0"), ("ours", "not known")]
)
def test_the_card_names_the_licence_of_each_folder(name, licence):
    assert licence in find_licence(name)


def test_the_card_shows_counts_and_shares_before_and_after():
    rules = ("answer_in_output", "citation", "refusal", "false_refusal", "same_language")
    counts = {rule: {"right": 3, "of": 4} for rule in rules} | {"refusal": {"right": 0, "of": 0}}
    training = {
        "rank": 16,
        "alpha": 32,
        "learning_rate": 7e-4,
        "groups_per_step": 1,
        "clip_norm": 1.0,
        "seed": 0,
        "steps": 10,
        "examples": 80,
        "seconds": 40.0,
        "machine": "a machine",
        "threads": 1,
        "dtype": "float32",
        "started_from": None,
        "packed_tokens": 100,
        "plain_tokens": 330,
        "sources": [{"words": "a set, CC0", "questions": 9}],
    }

    card = render_card(
        {
            "training": training,
            "held_out": ["a set: 1 part"],
            "rules": {"citation": "cites the number"},
            "before": {"en": counts, "ko": counts},
            "after": {"en": counts, "ko": counts},
        }
    )

    assert "| citation right | 3/4 (75%) | 3/4 (75%) | 3/4 (75%) | 3/4 (75%) |" in card
    assert "none asked" in card
    assert "3.3 times fewer" in card
    assert "2.00 questions a second" in card
