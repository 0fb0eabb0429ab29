"""The operator's commands: `python -m lib.cli`. It asks and prints; use cases do the work."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lib import checkup
from lib.backups import files
from lib.cli import backups, reports, tokens
from lib.connections import integrations
from lib.errors import HubError, InvalidInput, NotFound
from lib.hub import Hub, open_hub, prepare_hub
from lib.people import account_links, users
from lib.people.account_links import IssuedLink
from lib.retention.rounds import RetentionWork
from lib.settings import load_settings
from lib.vault import rotation

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
user_app = typer.Typer(no_args_is_help=True, help="The people who sign in.")
integration_app = typer.Typer(no_args_is_help=True, help="The connections of members.")
keys_app = typer.Typer(no_args_is_help=True, help="The master keys.")
app.add_typer(user_app, name="user")
app.add_typer(integration_app, name="integration")
app.add_typer(keys_app, name="keys")
app.add_typer(tokens.app, name="token")
app.command("report")(reports.report)
app.command("backup-test")(backups.backup_test)
app.command("backup-due")(backups.backup_due)


@app.command()
def init() -> None:
    """Make keys, database and the first staff user, where they are missing."""
    settings = load_settings()
    hub = prepare_hub(settings)
    try:
        password = users.first_staff_user(hub)
    finally:
        hub.close()
    if password is not None:
        typer.echo(f"Sign in at http://localhost:{settings.dashboard_port} as {users.FIRST_EMAIL}")
        typer.echo(f"One-time password, shown only now: {password}")


@app.command()
def migrate() -> None:
    """Bring the database up to date and make the first key on a new hub."""
    settings = load_settings()
    prepare_hub(settings).close()
    keys = "HUB_MASTER_KEYS" if settings.master_keys is not None else settings.key_file
    typer.echo(f"The database is up to date; the master key is in {keys}.")


@user_app.command("add")
def add_user(
    email: str,
    role: Annotated[str, typer.Option(help="member, staff or analyst")],
    *,
    name: str = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Add a user; without a password, print one that is good for one sign-in."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password == "":
        raise InvalidInput("Standard input held no password.", field="password")
    with _hub() as hub:
        actor, one_time = users.add_user(
            hub, email=email, name=name or email.partition("@")[0], role=role, password=password
        )
    typer.echo(f"Added {actor.email} as {actor.role}.")
    if one_time is not None:
        typer.echo(f"One-time password, shown only now: {one_time}")


@user_app.command("invite")
def invite_user(
    email: str,
    role: Annotated[str, typer.Option(help="member, staff or analyst")],
    *,
    name: str = "",
) -> None:
    """Add a user and print the link by which they choose a password."""
    with _hub() as hub:
        link = account_links.invite(hub, None, email=email, name=name, role=role)
    _say_link(link)


@user_app.command("reset")
def reset_user(email: str) -> None:
    """Print a link by which a user chooses a new password."""
    with _hub() as hub:
        actor = users.find_user(hub, email)
        if actor is None:
            raise NotFound(f"There is no active user {email}. Add one with `user add`.")
        link = account_links.renew(hub, None, actor.id)
    _say_link(link)


@integration_app.command("add")
def add_integration(
    user: Annotated[str, typer.Option(help="the owner's e-mail address")],
    service: Annotated[str, typer.Option(help="the service's short name")],
    *,
    name: Annotated[str, typer.Option(help="how the member calls it")],
    values: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, as often as needed")
    ] = None,
) -> None:
    """Add a connection and print its id, its address and the secret it was issued, as JSON."""
    pairs = _read_pairs(values or [])
    with _hub() as hub:
        actor = users.find_user(hub, user)
        if actor is None:
            raise NotFound(f"There is no active user {user}. Add one with `user add`.")
        issued = integrations.add(hub, actor, service_name=service, name=name, values=pairs)
    document = {"id": issued.integration.id, "webhook_url": issued.integration.webhook_url}
    if issued.inbound_secret is not None:
        document["inbound_secret"] = issued.inbound_secret
    typer.echo(json.dumps(document))


@app.command()
def demo() -> None:
    """Fill a fresh hub with invented, clearly marked traffic."""
    # Only this command needs a receiver, and lib's other modules know none.
    from lib.demo.fill import fill
    from webhook_receiver.app import create_app

    filled = fill(load_settings(), create_app)
    typer.echo(f"Sent {sum(filled.answers.values())} requests. Sign in as {filled.email}.")
    if filled.password is not None:
        typer.echo(f"One-time password, shown only now: {filled.password}")


@keys_app.command("rotate")
def rotate_keys() -> None:
    """Seal every stored credential with a new key while the hub runs."""
    settings = load_settings()
    done = rotation.rotate(settings)
    typer.echo(f"Sealed {done.resealed} values with key {done.key_id}.")
    if settings.master_keys is not None:
        typer.echo("That is the first key of HUB_MASTER_KEYS; to change it, put a new one first.")
    typer.echo("Restart the hub's processes, so that they seal with it. Old backups need old keys.")
    if done.unreadable:
        raise HubError(f"These did not open, enter them again: {', '.join(done.unreadable)}.")


@app.command()
def backup(file: Path) -> None:
    """Write the database to FILE while the hub runs. The master keys are not in it."""
    settings = load_settings()
    files.back_up(settings, file)
    keys = "HUB_MASTER_KEYS" if settings.master_keys is not None else settings.key_file
    typer.echo(f"Wrote {file}. Keep {keys} too, elsewhere: the backup does not open without it.")


@app.command()
def restore(file: Path) -> None:
    """Replace the database by the backup in FILE. Stop the hub's processes first."""
    kept = files.restore(load_settings(), file)
    typer.echo(f"Restored {file}." + (f" What was there before is in {kept}." if kept else ""))


@app.command()
def retention() -> None:
    """Remove now what is past its age, and give the space back; good before a backup."""
    with _hub() as hub:
        run = RetentionWork(hub).run_now()
    for name, count in sorted(run.removed.items()):
        typer.echo(f"Removed {count} {name}.")
    typer.echo(f"Freed {run.bytes_freed / 1e6:.1f} MB.")


@app.command()
def check() -> None:
    """Say line by line whether the hub can run; exit 1 when it cannot."""
    is_good = True
    for finding in checkup.examine():
        typer.echo(f"{'ok  ' if finding.is_good else 'FAIL'}  {finding.subject}: {finding.text}")
        is_good = is_good and finding.is_good
    raise typer.Exit(0 if is_good else 1)


def main() -> int:
    """Run one command; a HubError becomes its sentence on stderr and status 1."""
    try:
        app()
    except HubError as error:
        typer.echo(error.message, err=True)
        return 1
    return 0


@contextmanager
def _hub() -> Iterator[Hub]:
    hub = open_hub(load_settings())
    try:
        yield hub
    finally:
        hub.close()


def _say_link(link: IssuedLink) -> None:
    base = f"http://localhost:{load_settings().dashboard_port}"
    typer.echo(account_links.url_of(link, base))
    typer.echo(f"For {link.email}, good once until {link.expires_at:%Y-%m-%d %H:%M} UTC.")
    typer.echo("From another machine, put the dashboard's own address before the question mark.")


def _read_pairs(items: list[str]) -> dict[str, str]:
    pairs = {}
    for number, item in enumerate(items, 1):
        name, equals, value = item.partition("=")
        if not equals:
            # The item may be a secret whose name was forgotten, so it is not repeated.
            raise InvalidInput(f"Write --set number {number} as key=value.", field="set")
        pairs[name] = value
    return pairs
