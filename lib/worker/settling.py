"""Writing attempts down one by one, when one among them cannot be written."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from lib.clock import now
from lib.database import OUTAGES, Database
from lib.outgoing.attempt import not_sent
from lib.outgoing.settlement import Finished, settle
from lib.worker.database_thread import name_of

log = structlog.get_logger()

_NOT_RECORDED = "What came of this could not be recorded. The worker's log says why."


def settle_apart(database: Database, finished: Sequence[Finished]) -> None:
    """Record each attempt in a transaction of its own; one that cannot be loses its details."""
    for item in finished:
        try:
            _settle(database, item)
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is wrong with this one
            log.error("attempt_not_recorded", delivery=item.claimed.id, why=name_of(error))
            _settle(database, _without_details(item))


def _settle(database: Database, item: Finished) -> None:
    with database.write() as session:
        settle(session, [item], now())


def _without_details(item: Finished) -> Finished:
    judgement = replace(item.result.judgement, message=_NOT_RECORDED)
    return Finished(item.claimed, not_sent(judgement))
