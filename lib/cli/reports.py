"""The operator's command for a monthly report: `python -m lib.cli report`."""

from typing import Annotated

import typer

from lib.analytics.periods import find_zone
from lib.errors import InvalidInput, NotFound
from lib.hub import open_hub
from lib.people import users
from lib.reports.downloads import Wanted, make_report
from lib.settings import load_settings


def report(
    month: Annotated[str, typer.Option(help="year and month, such as 2026-11")],
    user: Annotated[str, typer.Option(help="whose report: the e-mail address of a user")],
    *,
    format_: Annotated[str, typer.Option("--format", help="html or csv")] = "html",
    zone: Annotated[str, typer.Option(help="whose calendar, such as Europe/Berlin")] = "UTC",
) -> None:
    """Print the report of a month: of a member's own, or for staff of the whole hub."""
    calendar = find_zone(zone)
    if calendar.key != zone:
        raise InvalidInput(
            f"There is no zone {zone[:40]}. Write it as Europe/Berlin or UTC.", field="zone"
        )
    hub = open_hub(load_settings())
    try:
        actor = users.find_user(hub, user)
        if actor is None:
            raise NotFound(f"There is no active user {user}. Add one with `user add`.")
        typer.echo(make_report(hub, actor, Wanted(month, format_, calendar)), nl=False)
    finally:
        hub.close()
