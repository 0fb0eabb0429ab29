"""The end of a signing secret's overlap, before its time."""

from lib import audit
from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.outgoing.destination_rows import locked_row
from lib.outgoing.destination_secrets import PREVIOUS


def end_signing_overlap(hub: Hub, actor: Actor, destination_id: str) -> None:
    """Sign with the present secret alone from now on."""
    with hub.database.write() as session:
        row, _ = locked_row(session, actor, destination_id)
        row.credentials = {
            name: entry for name, entry in row.credentials.items() if name != PREVIOUS
        }
        row.previous_secret_expires_at = None
        row.updated_at = now()
        audit.record(session, actor, "destination.secret_overlap_ended", row.id, name=row.name)
