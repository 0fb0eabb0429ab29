"""What a receiver does with a request at a test address: look it up, decide, keep it.

Called from threads of the receiver; nobody is signed in there, the token is the permission.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select

from lib.clock import now
from lib.connections.integrations import token_digest
from lib.errors import NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.log import redact_headers
from lib.models import TrialEndpoint, TrialRequest

KEPT_BODY_BYTES = 65_536
MOST_KEPT = 200
_MOST_QUERY = 4_000


@dataclass(frozen=True)
class Arrived:
    """A request as it came to a test address."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str


@dataclass(frozen=True)
class Plan:
    """How to answer: with which status, after how many seconds."""

    endpoint_id: str
    status: int
    delay_seconds: float


def plan_answer(hub: Hub, token: str) -> Plan:
    """Return how the address of `token` answers this time; raise NotFound if its day is over."""
    with hub.database.read() as session:
        query = select(TrialEndpoint).where(col(TrialEndpoint.token_digest) == token_digest(token))
        row = session.exec(query).first()
    if row is None or row.expires_at <= now():
        raise NotFound("There is no such test address (any more).")
    share = row.settings.get("failure_share", 0)
    fails = random.random() * 100 < share  # noqa: S311 - a dice, not a secret
    status = row.settings.get("status", 200) if fails else 200
    return Plan(row.id, status, row.settings.get("delay_seconds", 0.0))


def keep_request(hub: Hub, plan: Plan, arrived: Arrived) -> str:
    """Store a request, capped and with secret headers masked, and drop the oldest over the limit.

    Returns its id; raises NotFound when the address was removed meanwhile.
    """
    row = TrialRequest(
        id=new_id("trq"),
        endpoint_id=plan.endpoint_id,
        method=arrived.method[:20],
        query=arrived.query[:_MOST_QUERY].replace("\x00", ""),
        headers=orjson.dumps(redact_headers(arrived.headers.items())).decode(),
        body=arrived.body[:KEPT_BODY_BYTES],
        body_bytes=len(arrived.body),
        source_ip=arrived.source_ip,
        answered_status=plan.status,
        created_at=now(),
    )
    of_endpoint = col(TrialRequest.endpoint_id) == plan.endpoint_id
    try:
        with hub.database.write() as session:
            session.add(row)
            session.flush()
            newest = (
                select(col(TrialRequest.id))
                .where(of_endpoint)
                .order_by(col(TrialRequest.id).desc())
                .offset(MOST_KEPT)
                .limit(MOST_KEPT)
            )
            for old in session.exec(newest).all():
                session.exec(delete(TrialRequest).where(col(TrialRequest.id) == old))
    except IntegrityError as error:
        raise NotFound("There is no such test address (any more).") from error
    return row.id
