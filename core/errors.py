"""Errors that say what was expected, what came, and what to do."""


class NightbakeError(Exception):
    """Something that a person can mend; the message says how."""


class SettingsError(NightbakeError):
    """All mistakes of a configuration in one report.

    Attributes:
        mistakes: one line each, never holding a secret's value.
    """

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        listing = "\n".join(f"  - {mistake}" for mistake in mistakes)
        super().__init__(f"{len(mistakes)} setting(s) to mend; see docs/settings.md\n{listing}")


class DatabaseError(NightbakeError):
    """The database is away, too old, or lacks an extension."""


class MigrationError(DatabaseError):
    """The migrations on disk and those applied disagree."""


class ModelServerError(NightbakeError):
    """The model server is away, too slow, or refused a request.

    Attributes:
        generated_text: what had arrived before it failed; a retry is only allowed where it is empty.
    """

    def __init__(self, message: str, *, generated_text: str = "") -> None:
        self.generated_text = generated_text
        super().__init__(message)


class NotFoundError(NightbakeError):
    """Something was named that does not exist, or that this person may not see."""


class InvalidInputError(NightbakeError):
    """A question, vote or file that cannot be taken; the message is fit to be shown to the person."""


class ProcessError(NightbakeError):
    """A child process did not start, or ended; the message names its log file."""
