"""What an ingest did, for whoever asked for it."""

from dataclasses import dataclass, field

from retrieval.sources.source import Failure

# Failures that a report names; all of them stand in `ingest_errors`.
MAX_NAMED_FAILURES = 1000


@dataclass(slots=True)
class IngestReport:
    """What an ingest did; counts are documents.

    Attributes:
        hidden: documents that no rule lets anybody read, for want of an `.access.json`.
        failed: files and folders that were left out, the first thousand; where an earlier version is stored, it stays.
        failed_count: all of them.
        chunks: that the added and updated documents now have.
        embedded: chunks that went through the model; the others kept their vectors.
        away: sources that did not answer, now or half-way; what they hold stays as it is.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    hidden: int = 0
    failed: list[Failure] = field(default_factory=list[Failure])
    failed_count: int = 0
    chunks: int = 0
    embedded: int = 0
    away: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
