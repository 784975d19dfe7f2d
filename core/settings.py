"""Every setting, read from the environment and `.env`."""

import ipaddress
import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from core.settings_web import WebSettings

_WEIGHT = re.compile(r"\d+(\.\d+)?")
MOST_WEIGHT = 100
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Settings(WebSettings):
    """The environment as values. A field's description is its line in docs/settings.md."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    nightbake_home: Path = Field(Path(".nightbake"), description="Folder that holds all state")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="Port of the chat page, console and platform events")
    public_url: str | None = Field(None, description="Address people reach the service at, for links in answers")
    admin_token: SecretStr | None = Field(None, description="Opens the console; unset: links that open it once do")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    metrics_host: str = Field("127.0.0.1", description="Address that /metrics listens on; keep it inside")
    metrics_port: int = Field(9464, ge=0, le=65535, description="Port of /metrics for Prometheus; 0: none")

    database_url: SecretStr | None = Field(None, description="postgresql://…; unset starts the embedded PostgreSQL")

    model_url: str | None = Field(None, description="Model server (vLLM); unset starts the embedded one")
    model_name: str | None = Field(None, description="Name of the base model on the model server")
    model_path: str | None = Field(None, description="Base model for training, folder or hub name; default MODEL_NAME")
    model_api_key: SecretStr | None = Field(None, description="Key of the model server")
    model_languages: str = Field("en,ko", description="Languages the model writes; others are answered by quotation")
    model_context_tokens: int = Field(4096, ge=512, description="Prompt and answer together, at most")
    model_answer_tokens: int = Field(128, ge=16, description="Longest answer")
    model_temperature: float = Field(0.0, ge=0, le=2, description="0 is the most likely answer")
    model_timeout_seconds: float = Field(120, gt=0, description="Longest wait for the first token")
    model_stop_command: str | None = Field(
        None, description="Stops a model server of your own while a night trains on its GPU; returns when it is down"
    )
    model_start_command: str | None = Field(None, description="Starts it again; returns at once or when it is up")
    model_bits: int = Field(
        16,
        description="Bits of the embedded model's weights that serve; of a server of your own: as it was started",
    )
    model_port: int = Field(8081, ge=0, le=65535, description="Port of the embedded model server")

    embedding_model: str | None = Field(
        None, description="Hub name or folder; unset takes all-MiniLM-L6-v2; a changed one is filled in, then switched"
    )
    embedding_languages: str = Field("en", description="Languages the embedding model reads")
    embedding_backend: Literal["torch", "openvino"] = Field(
        "torch", description="What encodes documents: torch, or openvino (an extra, on the CPU)"
    )
    rerank_model: str | None = Field(None, description="Cross-encoder, hub name or folder; unset does not rerank")
    documents: str | None = Field(
        None, description="Folders to read at start, comma-separated; unset and embedded: the sample"
    )
    sources_file: Path | None = Field(None, description="File that names the sources to keep up with, TOML")
    sources_interval_seconds: float = Field(
        900, ge=5, description="How often sources and DOCUMENTS are looked at while the service runs"
    )
    synonyms_file: Path | None = Field(None, description="The company's words and synonyms, TOML")
    passages_per_answer: int = Field(3, ge=1, le=20, description="Passages shown to the model")
    passage_neighbours: int = Field(
        0,
        ge=0,
        le=10,
        description="Chunks of the same section shown with a passage, on each side; 1 or 2 for large models",
    )

    examples_per_answer: int = Field(3, ge=0, le=10, description="Corrected or liked answers in a prompt, at most")
    examples_similarity: float = Field(
        0.6, gt=0, le=1, description="Least likeness of their questions to the asked one"
    )
    examples_file: Path | None = Field(None, description="The company's own examples (JSON Lines: question, answer)")

    person_questions_per_minute: int = Field(
        20, ge=0, description="Questions that one person may ask within a minute; 0: any number"
    )
    person_questions_waiting: int = Field(
        5, ge=0, description="Questions of one person that may wait for their answers at once; 0: any number"
    )
    workspace_questions_per_minute: int = Field(
        0, ge=0, description="The same for a workspace, a tenant, or all of the chat page; 0: any number"
    )
    workspace_questions_waiting: int = Field(0, ge=0, description="The same; 0: any number")
    worker_concurrency: int = Field(4, ge=1, le=256, description="Answers worked on at once")

    slack_bot_token: SecretStr | None = Field(None, description="xoxb-…")
    slack_app_token: SecretStr | None = Field(None, description="xapp-…, for Socket Mode")
    slack_signing_secret: SecretStr | None = Field(None, description="For events over HTTP at /slack/events")
    slack_client_id: str | None = Field(None, description="For several workspaces: instead of SLACK_BOT_TOKEN")
    slack_client_secret: SecretStr | None = Field(None, description="Beside SLACK_CLIENT_ID")
    slack_token_key: SecretStr | None = Field(
        None, description="Encrypts their tokens; `nightbake slack key` makes one; comma-separated, newest first"
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Web API; GovSlack: https://slack-gov.com/api/")
    slack_emoji_up: str = Field("+1", description="Reactions that like an answer, names of emoji, comma-separated")
    slack_emoji_down: str = Field("-1", description="Reactions that dislike an answer")
    slack_expert_channel: str | None = Field(None, description="Id of the channel that “Ask a human” goes to, C…")
    slack_admin_channel: str | None = Field(
        None, description="Id of the channel for reports and alerts, C…; with several workspaces T…/C…"
    )
    slack_admins: str = Field("", description="Ids of users who may press its buttons; empty: the workspace's admins")
    slack_admin_language: str = Field("en", description="en or ko")

    teams_app_id: str | None = Field(None, description="Application (client) id of the bot registration")
    teams_app_password: SecretStr | None = Field(None, description="Client secret of the bot registration")
    teams_tenant_id: str | None = Field(
        None, description="The tenant of the registration; further ones that are served after it, comma-separated"
    )
    teams_expert_channel: str | None = Field(
        None, description="Id of the channel that “Ask a human” goes to, 19:…@thread.tacv2"
    )
    teams_admin_chat: str | None = Field(
        None, description="Id of the channel or group chat for reports and alerts, 19:…@thread.tacv2 or 19:…@thread.v2"
    )
    teams_admins: str = Field("", description="Who may press its buttons: object ids or e-mail addresses")
    teams_admin_language: str = Field("en", description="en or ko")
    teams_cloud: Literal["public", "gcch", "dod", "china"] = Field(
        "public", description="Which of Microsoft's clouds the tenant is in: public (GCC too), gcch, dod or china"
    )
    teams_service_url: str | None = Field(
        None, description="Where Teams is reached before anybody wrote to us; unset: where the cloud's Teams is"
    )
    teams_graph: bool = Field(False, description="Asks Microsoft Graph for people and their groups")
    teams_groups_file: Path | None = Field(None, description="File that names groups of people, TOML or JSON")
    teams_without_authentication: bool = Field(
        False, description="Takes anything that this machine sends, for a local client; refused outside loopback"
    )

    night_time: str = Field("02:00", description="When the night begins, HH:MM")
    night_time_zone: str = Field("UTC", description="IANA name, such as Asia/Seoul")
    night_window_days: int = Field(90, ge=1, description="How far back feedback is used")
    night_min_pairs: int = Field(6, ge=1, description="Fewer pairs are a report, not a training")
    night_max_pairs: int = Field(2000, ge=1, description="The newest ones are kept")
    night_epochs: int = Field(2, ge=1, le=10, description="Passes over the training pairs")
    night_learning_rate: float = Field(1e-4, gt=0, lt=1, description="Peak learning rate")
    night_beta: float = Field(0.1, gt=0, description="DPO beta")
    night_lora_rank: int = Field(16, ge=1, le=256, description="Rank of the adapter; not above the server's maximum")
    night_four_bits: bool = Field(False, description="Train with the base's weights in 4 bits (QLoRA): less memory")
    night_goes_on: bool = Field(
        False, description="Train on from what is served and not afresh; what that costs: docs/life-of-a-night.md"
    )
    night_bake: bool = Field(
        False, description="Bake the standing prompt into what is served, where a night left it out"
    )
    night_max_train_seconds: float = Field(14400, gt=0, description="Training stops cleanly after this")
    night_min_held_out: int = Field(20, ge=1, description="Fewer held-out pairs and the gate abstains")
    night_answers: int = Field(32, ge=0, description="Held-out prompts answered again by both models, at most")
    night_evaluate_seconds: float = Field(120.0, gt=0, description="After this no more is asked to judge a candidate")
    night_judge: Literal["rules", "model"] = Field(
        "rules", description="rules; model: the base model judges where rules see no difference"
    )
    night_groundedness_margin: float = Field(
        0.15, gt=0, lt=1, description="A loss of carried claims as large as this must be ruled out"
    )
    night_loss: str = Field("ipo", description="ipo, sigmoid, sigmoid_norm or robust; see docs/life-of-a-night.md")
    night_promote: str = Field("auto", description="auto: a passed gate switches; approve: an admin does")
    golden_questions: Path | None = Field(
        None, description="Questions with right answers (JSON Lines), asked for every night's report"
    )
    bertscore_model: str | None = Field(
        None, description="Encoder on this machine, folder or cached name, for BERTScore in `exam run`; unset: none"
    )
    night_rater_weights: str | None = Field(
        None, description="Weight of people and groups as raters, such as group:hr=3,user:ann=2; others weigh 1"
    )
    night_review_share: float = Field(
        0.0, ge=0, le=1, description="Share of new pairs that wait until a person approves them in the console"
    )
    exercise_review_share: float = Field(0.2, ge=0, le=1, description="Share of simple exercises that await a person")
    exercise_reviewers: int = Field(1, ge=1, le=3, description="People who must look at an exercise that waits")
    exercise_general_files: str = Field(
        "", description="General chats mixed into training on exercises beside our own (JSON Lines), comma-separated"
    )
    exercise_general_share: float = Field(0.5, ge=0, lt=1, description="Share of general chats in that mix")
    exercise_overlap: float = Field(
        0.5, ge=0, le=1, description="Share of exercises used both supervised and for preference pairs; 0: one or other"
    )
    exercise_epochs: int = Field(2, ge=1, le=10, description="Passes over exercises")
    exercise_learning_rate: float = Field(2e-4, gt=0, lt=1, description="Peak learning rate on exercises")
    exercise_pairs: int = Field(
        200,
        ge=0,
        description="Exercises fill a night's pairs up to this while people's are few; 0 takes none",
    )
    reviewer_hour_cost: float | None = Field(None, ge=0, description="What an hour of a reviewer of exercises costs")
    night_regenerate: int = Field(
        4, ge=0, le=16, description="Answers sampled for a disliked one, to find a better; 0 samples none"
    )
    night_done_by: str | None = Field(
        None, description="When the night must be done, HH:MM in NIGHT_TIME_ZONE; training ends before that"
    )
    night_gpu: str = Field("auto", description="auto, beside, second, sleep or restart; see docs/operations.md")
    night_gpu_gib: float | None = Field(
        None, gt=0, description="GPU memory that training takes; unset: estimated from the base model's weights"
    )
    night_max_memory: int | None = Field(
        None, ge=256, description="MiB of main memory that training may take; unset: what is free then, less a tenth"
    )
    night_trial_share: float = Field(
        0.0, ge=0, lt=1, description="Share of the conversations that a promoted adapter answers at first; 0: all"
    )
    night_trial_hours: float = Field(20.0, gt=0, description="After this a trial without harm serves everybody")
    night_keep_adapters: int = Field(30, ge=3, description="Older adapters' folders are deleted; their rows stay")
    night_seed: int = Field(0, ge=0, description="Seed of split and training")
    currency: str = Field("USD", description="Of the figures below")
    saved_per_right_answer: float = Field(20, ge=0, description="What a right answer saves")
    human_answer_cost: float = Field(40, ge=0, description="What a person's answer costs, after a wrong one")
    lost_trust_cost: float = Field(1000, ge=0, description="What it costs when somebody gives the assistant up")
    lost_trust_chance: float = Field(0.05, ge=0, le=1, description="Chance of that after a wrong answer")
    night_hour_cost: float | None = Field(None, ge=0, description="What an hour of the machine that trains costs")
    night_watts: float | None = Field(
        None, ge=0, description="What it draws, in watts; unset: kWh of a single training only, by a usual figure"
    )

    @field_validator("night_time", "night_done_by")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        if value is not None and not _TIME.fullmatch(value):
            raise ValueError(f"expected HH:MM, got {value!r}")
        return value

    @field_validator("night_time_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"expected an IANA name such as Asia/Seoul, got {value!r}") from error
        return value

    @field_validator("model_bits")
    @classmethod
    def _are_bits(cls, value: int) -> int:
        if value not in (16, 8, 4):
            raise ValueError(f"expected 16, 8 or 4, got {value}")
        return value

    @field_validator("night_gpu")
    @classmethod
    def _is_way(cls, value: str) -> str:
        if value not in ("auto", "beside", "second", "sleep", "restart"):
            raise ValueError(f"expected auto, beside, second, sleep or restart, got {value!r}")
        return value

    @field_validator("night_loss")
    @classmethod
    def _is_loss(cls, value: str) -> str:
        if value not in ("sigmoid", "sigmoid_norm", "ipo", "robust"):
            raise ValueError(f"expected sigmoid, sigmoid_norm, ipo or robust, got {value!r}")
        return value

    @field_validator("night_promote")
    @classmethod
    def _is_policy(cls, value: str) -> str:
        if value not in ("auto", "approve"):
            raise ValueError(f"expected auto or approve, got {value!r}")
        return value

    @field_validator("night_rater_weights")
    @classmethod
    def _are_weights(cls, value: str | None) -> str | None:
        read_weights(value or "")
        return value

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError(f"expected DEBUG, INFO, WARNING or ERROR, got {value!r}")
        return value.upper()

    @field_validator("slack_admin_language", "teams_admin_language")
    @classmethod
    def _is_language(cls, value: str) -> str:
        if value not in ("en", "ko"):
            raise ValueError(f"expected en or ko, got {value!r}")
        return value

    @property
    def has_slack(self) -> bool:
        """Whether Slack is configured; a half configuration never gets this far."""
        return self.slack_bot_token is not None or self.slack_client_id is not None

    @property
    def database_connections(self) -> int:
        """One for each answer under way, and some for what comes in meanwhile."""
        return self.worker_concurrency + 4

    @property
    def has_teams(self) -> bool:
        """Whether Teams is configured."""
        return self.teams_app_id is not None or self.teams_without_authentication

    @property
    def base_url(self) -> str:
        """Address for links."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read_list(value: str) -> list[str]:
    """The parts of a comma-separated setting."""
    return [part.strip() for part in value.split(",") if part.strip()]


def read_weights(value: str) -> dict[str, float]:
    """Weights by name, of a setting such as `group:hr=3,user:ann=2`.

    Raises:
        ValueError: a part is not a name with a number above 0.
    """
    weights: dict[str, float] = {}
    for part in read_list(value):
        name, _, number = part.rpartition("=")
        if not name or not _WEIGHT.fullmatch(number) or not 0 < float(number) <= MOST_WEIGHT:
            raise ValueError(f"expected NAME=WEIGHT with a weight above 0 and up to {MOST_WEIGHT}, got {part!r}")
        weights[name.strip()] = float(number)
    return weights


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches a server that listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
