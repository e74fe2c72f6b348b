"""The yardstick of the cold start: a typer program that prints one rich table, nothing else."""

import typer
from rich.console import Console
from rich.table import Table

program = typer.Typer()


@program.command()
def show(file: str) -> None:
    """Print one table about FILE without opening it."""
    table = Table(title=file)
    table.add_column("rule")
    table.add_column("finding")
    for rule in ("customer-cap", "transaction-fee", "full-prepayment", "no-cancellation"):
        table.add_row(rule, "met")
    Console().print(table)


if __name__ == "__main__":
    program()
