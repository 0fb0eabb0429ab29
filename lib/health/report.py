"""The whole report, for staff on the screen and for the operator in the terminal."""

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from lib.access import Actor, require_staff
from lib.health.database import DatabaseSize, measure, read_database
from lib.health.processes import read_machine, read_receiver
from lib.health.readings import Reading
from lib.health.work import read_work
from lib.hub import Hub


def examine_health(hub: Hub, actor: Actor) -> Sequence[Reading]:
    """Return every reading; staff only."""
    require_staff(actor)
    return [*read_receiver(hub), *read_stored(hub), *read_machine(hub)]


def read_stored(hub: Hub) -> Sequence[Reading]:
    """Return what the database tells of itself and of the work; an outage is a reading too."""
    try:
        return [*read_work(hub.database), *read_database(hub.database)]
    except DBAPIError:
        step = "Check that the server runs and that HUB_DATABASE_URL is right."
        return [Reading("Database", "Connection", "bad", "no answer", step)]


def database_size(hub: Hub, actor: Actor) -> DatabaseSize:
    """Return how much room the database takes now; staff only."""
    require_staff(actor)
    with hub.database.read() as session:
        return measure(hub.database, session)
