"""The front door: the `nightbake` command, which joins the rooms and holds no logic."""

import importlib

import click

# Imported only when called for: `nightbake --help` must not wait for torch.
COMMANDS = {
    "up": "cli.up:up",
    "ask": "cli.ask:ask",
    "chat": "cli.chat:chat",
    "ingest": "cli.ingest:ingest",
    "sources": "cli.sources:sources",
    "documents": "cli.documents:documents",
    "people": "cli.people:people",
    "console-link": "cli.console_link:console_link",
    "feedback": "cli.votes:feedback",
    "memory": "cli.memory:memory",
    "pairs": "cli.pairs:pairs",
    "exercises": "cli.exercises:exercises",
    "exam": "cli.pinned_exam:exam",
    "golden": "cli.golden:golden",
    "gaps": "cli.gaps:gaps",
    "night": "cli.night:night",
    "bake": "cli.bake:bake",
    "report": "cli.night:report",
    "worth": "cli.worth:worth",
    "adapters": "cli.adapters:adapters",
    "evaluate": "cli.evaluate:evaluate",
    "advice": "cli.advice:advice",
    "experiments": "cli.experiments:experiments",
    "slack": "cli.slack:slack",
    "teams": "cli.teams:teams",
    "migrate": "cli.database:migrate",
    "backup": "cli.backup:backup",
    "restore": "cli.backup:restore",
    "doctor": "cli.doctor:doctor",
    "demo": "cli.demo:demo",
}

SUMMARIES = {
    "up": "Start everything and serve until Ctrl-C.",
    "ask": "Ask one question.",
    "chat": "Ask and vote in the terminal.",
    "ingest": "Read documents from folders and files.",
    "sources": "List sources; read what changed in them.",
    "documents": "Look at documents; hide, bring back, read again.",
    "people": "Say which groups a person belongs to.",
    "console-link": "Print a link that opens the console once.",
    "feedback": "Vote on answers; list and export votes.",
    "memory": "Show what people corrected stands in prompts.",
    "pairs": "Collect, explain and export training pairs.",
    "exercises": "Make exercises from documents; review them.",
    "exam": "Pin an exam; hold it, and compare ways to help.",
    "golden": "Questions with right answers; review them.",
    "gaps": "List what the documents do not hold.",
    "night": "Turn votes into an adapter now.",
    "bake": "Bake the standing prompt into an adapter.",
    "report": "Show what a night did and why.",
    "worth": "Is it good enough yet, and what does training return?",
    "adapters": "List adapters; promote one, or roll back.",
    "evaluate": "Measure the search, long prompts, and golden questions.",
    "advice": "Say why questions fail and what to do next.",
    "experiments": "List what was tried and whether it helped.",
    "slack": "Print the manifest of the Slack app; make a key.",
    "teams": "Set up the Teams app.",
    "migrate": "Bring the database up to date.",
    "backup": "Keep database and adapters, as of now or from now on.",
    "restore": "Bring a backup back.",
    "doctor": "Check every part and say what to do.",
    "demo": "The whole loop once, in a temporary state folder.",
}


class LazyGroup(click.Group):
    """Loads a command's module when it is used; the list of commands needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        return getattr(importlib.import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="nightbake", message="nightbake %(version)s")
def main() -> None:
    """Answers from your company's documents, and learns from your thumbs every night.

    Start with `nightbake up`, then open the address it prints. Settings come from the environment and `.env`;
    `nightbake doctor` checks them. Every command takes --json and --help.

    Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 a server that is needed is away.
    """


if __name__ == "__main__":
    main()
