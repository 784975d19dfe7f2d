"""What an operator counts, for Prometheus: one registry a process, labels of few values, no word or name of a person.

Counts and times are this process'; gauges of the database are the same for all and are set when somebody asks
(`bot/gauges.py`). Names end in their unit, as Prometheus wants it.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)

# An event that is stored within a few milliseconds; Slack gives up after 3 s.
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)
_SLOW = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900)

RECEIVED = Counter(
    "nightbake_events_received_total", "Events stored, at their first delivery", ["platform", "kind"], registry=REGISTRY
)
REPEATED = Counter(
    "nightbake_events_repeated_total", "Deliveries of events that were stored before", ["platform"], registry=REGISTRY
)
REFUSED = Counter(
    "nightbake_questions_refused_total",
    "Questions that met a limit: person_per_minute, person_waiting, workspace_per_minute, workspace_waiting",
    ["platform", "limit"],
    registry=REGISTRY,
)
RECEIVE_SECONDS = Histogram(
    "nightbake_receive_seconds", "From an event's arrival until it is stored", registry=REGISTRY, buckets=_QUICK
)
HANDLED = Counter(
    "nightbake_events_handled_total",
    "Attempts at events by their end: done, retried, buried",
    ["kind", "result"],
    registry=REGISTRY,
)
WAIT_SECONDS = Histogram(
    "nightbake_wait_seconds", "From an event's receipt until it is first worked on", registry=REGISTRY, buckets=_SLOW
)
SLOTS = Gauge("nightbake_worker_slots", "Events that this process works on at once, at most", registry=REGISTRY)
BUSY = Gauge("nightbake_worker_busy", "Events that this process works on now", registry=REGISTRY)
PLACES = Counter(
    "nightbake_places_told_total", "Words to people on their place in the line", ["platform"], registry=REGISTRY
)
ANSWERS = Counter(
    "nightbake_answers_total",
    "Answers shown: generated, quoted, refused, stopped; failed are apologies",
    ["platform", "mode"],
    registry=REGISTRY,
)
ANSWER_SECONDS = Histogram(
    "nightbake_answer_seconds",
    "From a question's receipt until its answer is shown whole",
    ["platform"],
    registry=REGISTRY,
    buckets=_SLOW,
)
FIRST_TOKEN_SECONDS = Histogram(
    "nightbake_model_first_token_seconds",
    "From a request to the model server until its first token",
    registry=REGISTRY,
    buckets=_SLOW,
)
MODEL_SECONDS = Histogram(
    "nightbake_model_seconds", "From a request to the model server until its end", registry=REGISTRY, buckets=_SLOW
)
MODEL_FAILURES = Counter(
    "nightbake_model_failures_total", "Requests to the model server that failed, after retries", registry=REGISTRY
)
TOKENS = Counter(
    "nightbake_model_tokens_total", "Tokens as the model server counts them: input, output", ["type"], registry=REGISTRY
)
VOTES = Counter("nightbake_votes_total", "Judgements stored: up, down, withdrawn", ["value"], registry=REGISTRY)
