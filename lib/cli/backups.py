"""The operator's commands around backups: proving one, and making the one that is due."""

from pathlib import Path

import typer

from lib.backups.schedule import run_due
from lib.backups.trial import try_restore
from lib.hub import open_hub
from lib.settings import load_settings


def backup_test(file: Path) -> None:
    """Say whether FILE can be restored: it is, into a database beside the hub that goes again."""
    proof = try_restore(load_settings(), file)
    typer.echo(
        f"{file} can be restored: {proof.users} users, {proof.integrations} integrations, "
        f"{proof.events} events."
    )
    if proof.needs_migration:
        typer.echo("An older release wrote it; `restore` brings it up to date.")


def backup_due() -> None:
    """Make the daily backup if it is due and nobody has begun it; the worker calls this."""
    hub = open_hub(load_settings())
    try:
        run_id = run_due(hub)
    finally:
        hub.close()
    typer.echo("No backup is due." if run_id is None else "Made and tested the daily backup.")
