"""The commands that offer placet to others: `serve` and `key`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from api.keys import ROLES, new_key
from api.settings import serving, settings
from engine.diagnostics import PlacetError, as_text


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than this machine's needs API keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="Folder of rules; else PLACET_RULES, ./rules.")
    ] = None,
) -> None:
    """Offer the HTTP service and the workbench; Ctrl-C stops it.

    PLACET_STORE, PLACET_KEYS, PLACET_KEYS_FILE, PLACET_HOSTS, PLACET_RATE, PLACET_SECONDS,
    PLACET_HEAD_SECONDS, PLACET_STOP_SECONDS, PLACET_WORKERS, PLACET_CONNECTIONS,
    PLACET_EVALUATOR, PLACET_DISAGREEMENTS and PLACET_LOG_CONTENTS set the rest; api/README.md
    tells how.
    """
    # Only serving needs these, and every start would wait for them.
    from api.app.serve import serve as run
    from api.store import StoreError

    try:
        run(settings(rules, None), serving(), host, port)
    except ValueError as error:
        typer.echo(f"placet serve: {error}", err=True)
        raise typer.Exit(2) from None
    except StoreError as error:
        typer.echo(f"placet serve: the store cannot be opened: {error}", err=True)
        raise typer.Exit(1) from None
    except PlacetError as error:
        typer.echo(as_text(error.diagnostics), err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        # Names that are not known have numbers below zero, and words of their own.
        number = error.errno or 0
        told = os.strerror(number) if number > 0 else error.strerror
        typer.echo(f"placet serve: {host}, port {port}: {told}", err=True)
        raise typer.Exit(1) from None


def key(
    name: Annotated[str, typer.Argument(help="Whose key it is: a person or a program.")],
    role: Annotated[
        str, typer.Option(help="read (decide and look) or draft (also change drafts).")
    ] = "read",
) -> None:
    """Make an API key: the secret once on standard output, the line that admits it on the other."""
    if role not in ROLES:
        raise typer.BadParameter(f"the role is one of: {', '.join(ROLES)}")
    try:
        secret, line = new_key(name, "draft" if role == "draft" else "read")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(secret)
    typer.echo(
        "The secret on standard output is shown this once. Add this line to the file that\n"
        "PLACET_KEYS_FILE names, which only its owner may change (chmod 600), and start the\n"
        f"service again:\n{line}",
        err=True,
    )
