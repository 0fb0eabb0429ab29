"""The operator's commands about API tokens: `python -m lib.cli token`."""

from typing import Annotated

import typer

from lib.errors import NotFound
from lib.hub import open_hub
from lib.people import api_tokens, users
from lib.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The tokens of programs that call the REST API.")


@app.callback()
def tokens() -> None:
    """Keep `create` a command of its own while it is the only one."""


@app.command("create")
def create_token(
    email: Annotated[str, typer.Argument(help="whose token it is")],
    scopes: Annotated[str, typer.Option(help="names with commas between, or all")],
    *,
    name: Annotated[str, typer.Option(help="what it is for")] = "Made on the command line",
    days: Annotated[int | None, typer.Option(help="after how many days it expires")] = None,
) -> None:
    """Make a token and print it, alone, this once."""
    hub = open_hub(load_settings())
    try:
        actor = users.find_user(hub, email)
        if actor is None:
            raise NotFound(f"There is no active user {email}. Add one with `user add`.")
        names = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        issued = api_tokens.create(hub, actor, name=name, scopes=names, days=days)
    finally:
        hub.close()
    typer.echo(issued.secret)
