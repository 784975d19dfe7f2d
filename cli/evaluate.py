"""`nightbake evaluate`: how good the parts are, each measured apart."""

import click

from cli.evaluate_retrieval import retrieval
from cli.exam import answers
from cli.injections import injections
from cli.needle import needle


@click.group()
def evaluate() -> None:
    """Measure the parts, each apart: the search, the prompt, whole answers, and what hidden orders do.

    Nothing that is asked here is logged, voted on or learnt from.
    """


evaluate.add_command(retrieval)
evaluate.add_command(answers)
evaluate.add_command(needle)
evaluate.add_command(injections)
