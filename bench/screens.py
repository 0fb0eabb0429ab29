"""How long each screen takes with few and with many events: in the database, in the browser.

`python -m bench.screens --events 10000,5000000` fills a hub of each size by bulk SQL, calls what
stands behind the screens as a member, as staff and as an analyst, and runs the statements of each
call three times more by themselves: the shortest time is the figure, for in the others the machine
did something else as well. `--database postgresql` starts servers of its own instead of SQLite.
`--processor` counts the processor's time of the database instead of the clock's, for a machine
that is never at rest; waiting for a disk is not in it. `--keep DIR` leaves the filled hubs in a
folder and uses them again, looked at as of when they were filled. The ratio is that of the p95.

`--browser` measures in place of the SQL how long a screen takes in Chromium until it is usable,
on a running dashboard for each hub (see `bench.screens_browser`); `--calls` is then the number of
loads. Hubs for it are filled shortly before, for a dashboard knows no other time than now.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection
from sqlmodel import col, func, select

from bench.bulk_rows import Place
from bench.bulk_store import fill_postgresql, fill_sqlite
from bench.screen_cases import Case, cases
from bench.screens_browser import browse
from lib.access import Actor, Role
from lib.clock import now, shifted
from lib.hub import Hub, prepare_hub
from lib.models import Destination, IntegrationConfig, User, WebhookEvent
from lib.settings import Settings
from tests.factories import make_integration_row, make_user
from tests.outgoing_factories import make_destination, make_route
from tests.postgres import run_postgres
from tests.statement_plans import statements_of

MEMBERS, INTEGRATIONS, TYPES = 20, 60, 40
SERVICES = ("twilio", "gohighlevel", "make", "zapier", "webhook")
RUNS = 3
GOAL_MILLISECONDS = 50
Clock = Callable[[], float]


@dataclass(frozen=True)
class Filled:
    """A hub with its rows, and who looks at it."""

    hub: Hub
    places: list[Place]
    actors: dict[str, list[Actor]]
    age: timedelta


def measure(filled: Filled, case: Case, calls: int, *, by_processor: bool) -> tuple[float, float]:
    """Return p50 and p95 of the milliseconds of SQL behind one draw, over all roles."""
    found = []
    for number in range(calls):
        role = ("member", "staff", "analyst")[number % (3 if case.for_analysts else 2)]
        actors = filled.actors[role]
        actor = actors[number % len(actors)]
        # A hub that was filled some time ago is looked at as it was then.
        with statements_of(filled.hub) as seen, shifted(-filled.age):
            case.draw(filled.hub, actor)
        with filled.hub.database.read() as session:
            connection = session.connection()
            read = _processor_of(connection) if by_processor else time.perf_counter
            found.append(min(_run(connection, seen, read) for _ in range(RUNS)))
    return statistics.median(found), statistics.quantiles(found, n=20)[-1]


def _run(connection: Connection, statements: list[tuple[str, Any]], read: Clock) -> float:
    began = read()
    for text, parameters in statements:
        connection.exec_driver_sql(text, parameters).all()
    return (read() - began) * 1000


def _processor_of(connection: Connection) -> Clock:
    """Return the clock of what runs the statements: this thread, or the server's process."""
    if connection.dialect.name == "sqlite":
        return time.thread_time
    process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    figures = Path(f"/proc/{process}/schedstat")
    # https://docs.kernel.org/scheduler/sched-stats.html: nanoseconds on a processor come first.
    return lambda: int(figures.read_text().split()[0]) / 1e9


@contextmanager
def filled_hub(folder: Path, url: str, events: int) -> Iterator[Filled]:
    """Open the hub at `url`, filling it when it is new."""
    hub = prepare_hub(
        Settings(database_url=url, key_file=folder / "master.keys")  # type: ignore[arg-type]
    )
    with hub.database.read() as session:
        is_new = session.exec(select(User)).first() is None
    if is_new:
        _fill(hub, events)
    with hub.database.read() as session:
        items = session.exec(select(IntegrationConfig).order_by(col(IntegrationConfig.id))).all()
        targets = session.exec(select(Destination).order_by(col(Destination.id))).all()
        users = session.exec(select(User)).all()
        newest = session.exec(select(func.max(WebhookEvent.created_at))).one()
    actors: dict[str, list[Actor]] = {"member": [], "staff": [], "analyst": []}
    for user in users:
        actors[user.role].append(Actor(user.id, user.email, user.name, Role(user.role)))
    try:
        yield Filled(hub, _places(list(items), list(targets)), actors, now() - newest)
    finally:
        hub.close()


def _fill(hub: Hub, events: int) -> None:
    began = time.monotonic()
    owners = [make_user(hub, f"member{number}@example.com") for number in range(MEMBERS)]
    make_user(hub, "staff@example.com", role="staff")
    make_user(hub, "analyst@example.com", role="analyst")
    items = [
        make_integration_row(hub, owners[n % MEMBERS], service_name=SERVICES[n % len(SERVICES)])
        for n in range(INTEGRATIONS)
    ]
    targets = [make_destination(hub, owners[n % MEMBERS]) for n in range(INTEGRATIONS)]
    for item, target in zip(items, targets, strict=True):
        make_route(hub, item, target)
    fill = fill_sqlite if hub.database.is_sqlite else fill_postgresql
    fill(hub.database.engine, _places(items, targets), events)
    print(f"  filled with {events} events in {time.monotonic() - began:.0f} s", flush=True)


def _places(items: list[IntegrationConfig], targets: list[Destination]) -> list[Place]:
    width = TYPES // len(SERVICES)
    return [
        Place(
            item,
            target,
            tuple(f"{item.service_name}.type{number}" for number in range(width)),
        )
        for item, target in zip(items, targets, strict=True)
    ]


@contextmanager
def _databases(database: str, folder: Path, events: int) -> Iterator[tuple[str, Path]]:
    """Yield the URL of the hub's database and the folder of its keys."""
    place = folder / f"{database}-{events}"
    place.mkdir(parents=True, exist_ok=True)
    if database == "sqlite":
        yield f"sqlite:///{place / 'hub.db'}", place
        return
    # As an operator would set it on a machine of this size.
    options = "-c shared_buffers=1GB -c work_mem=32MB -c fsync=off"
    with run_postgres(options, at=place) as server:
        yield server.url, place


def main(
    database: Annotated[str, typer.Option(help="sqlite or postgresql")] = "sqlite",
    events: Annotated[str, typer.Option(help="Sizes, with commas.")] = "10000,5000000",
    keep: Annotated[Path | None, typer.Option(help="Use the hubs of this folder again.")] = None,
    processor: Annotated[bool, typer.Option(help="Count the processor's time.")] = False,
    calls: Annotated[int, typer.Option(help="How often each case is asked.")] = 50,
    only: Annotated[str, typer.Option(help="Part of a screen's or case's name.")] = "",
    browser: Annotated[bool, typer.Option(help="Measure the browser and not the SQL.")] = False,
) -> None:
    """Measure every case at every size and print a table."""
    sizes = [int(text) for text in events.split(",")]
    named = ", ".join(f"{size:,}" for size in sizes)
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        places = [
            stack.enter_context(_databases(database, keep or Path(temporary), size))
            for size in sizes
        ]
        hubs = [
            stack.enter_context(filled_hub(folder, url, size))
            for (url, folder), size in zip(places, sizes, strict=True)
        ]
        if browser:
            print(f"{database}, ms until usable p50/p95 at {named} events, ratios, processor p50")
            browse(places, calls, only)
            return
        print(f"{database}, ms of SQL p50/p95 at {named} events")
        for same in zip(*(cases(hub.places) for hub in hubs), strict=True):
            if only.lower() in f"{same[0].screen} {same[0].name}".lower():
                found = [
                    measure(hub, case, calls, by_processor=processor)
                    for hub, case in zip(hubs, same, strict=True)
                ]
                _print_case(same[0], found)


def _print_case(case: Case, found: Sequence[tuple[float, float]]) -> None:
    cells = "".join(f"{p50:8.1f} /{p95:6.1f}" for p50, p95 in found)
    ratio = found[-1][1] / found[0][1]
    tail = f"  over {GOAL_MILLISECONDS} ms" if found[-1][1] > GOAL_MILLISECONDS else ""
    print(f"  {case.screen:13}{case.name:18}{cells}   x{ratio:5.2f}{tail}", flush=True)


if __name__ == "__main__":
    typer.run(main)
