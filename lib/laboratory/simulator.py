"""Playing the provider: a sample, edited and signed, sent through HTTP to the hub's own receiver.

Members play for their own integrations, staff for all. The event says that it was simulated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from sqlmodel import col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.connections import integrations
from lib.errors import HubError, InvalidInput
from lib.hub import Hub
from lib.ids import new_id
from lib.models import WebhookEvent
from lib.providers.registry import get_provider
from lib.providers.sending import Signed, Unsigned, encode_body, fill_sample
from lib.vault.row_secrets import open_values

# Kept with the event's headers, so that nobody takes a simulated event for a real one.
HEADER = "x-hub-simulation"
_SECONDS = (2, 20)
_MOST_ANSWER = 4_000
# Clocks of two processes of one machine, and the time between sending and storing.
_LOOK_BACK = timedelta(seconds=60)


@dataclass(frozen=True)
class Simulated:
    """What the receiver answered; `simulation_id` is how the event is found."""

    simulation_id: str
    integration_id: str
    status: int
    content_type: str
    answer: str
    milliseconds: int
    sent_at: datetime


def fill_in(hub: Hub, actor: Actor, integration_id: str, *, label: str) -> str:
    """Return the text of a sample with fresh ids and the integration's own settings."""
    require_writer(actor)
    item = integrations.get(hub, actor, integration_id)
    samples = get_provider(item.service_name).samples()
    if label not in samples:
        raise InvalidInput("There is no such sample. Choose one of the list.", field="sample")
    return fill_sample(samples[label], item.config_data)


def send(hub: Hub, actor: Actor, integration_id: str, *, content_type: str, text: str) -> Simulated:
    """Sign `text` as the provider would and post it to the receiver; return its answer.

    The signature is for the public address, the connection goes to the receiver's port here.
    Raises InvalidInput for a body that is no form or too large, HubError when nothing answers.
    """
    with hub.database.read() as session:
        row = integrations.owned_row(session, actor, integration_id)
    url = hub.settings.public_url + row.webhook_url[row.webhook_url.index("/api/") :]
    body = encode_body(content_type, text)
    if len(body) > hub.settings.max_body_bytes:
        raise InvalidInput(
            f"The body has {len(body):,} bytes; the hub takes {hub.settings.max_body_bytes:,}.",
            field="body",
        )
    provider = get_provider(row.service_name)
    signed = provider.sign_sample(Unsigned(url, content_type, body), open_values(hub.vault, row))
    simulation_id = new_id("sim")
    result = _post(hub, signed, simulation_id=simulation_id, integration_id=row.id)
    with hub.database.write() as session:
        audit.record(
            session,
            actor,
            "simulator.sent",
            row.id,
            name=row.name,
            simulation=simulation_id,
            answered=str(result.status),
        )
    return result


def find_event(hub: Hub, actor: Actor, sent: Simulated) -> str | None:
    """Return the id of the event that came of it, None while there is none.

    A body that the hub had before is answered as a duplicate and makes no event.
    """
    query = (
        select(col(WebhookEvent.id))
        .where(col(WebhookEvent.integration_id) == sent.integration_id)
        .where(col(WebhookEvent.created_at) >= sent.sent_at - _LOOK_BACK)
        .where(col(WebhookEvent.headers).contains(sent.simulation_id, autoescape=True))
    )
    with hub.database.read() as session:
        integrations.owned_row(session, actor, sent.integration_id)
        return session.exec(query).first()


def is_simulated(headers: Mapping[str, Any]) -> bool:
    """Tell whether an event with these headers came from the simulator."""
    return HEADER in headers


def _post(hub: Hub, signed: Signed, *, simulation_id: str, integration_id: str) -> Simulated:
    parts = urlsplit(signed.url)
    query = f"?{parts.query}" if parts.query else ""
    inside = f"http://127.0.0.1:{hub.settings.receiver_port}{parts.path}{query}"
    sent_at = now()
    try:
        with requests.Session() as http:
            # A proxy of the environment would be asked for this very machine.
            http.trust_env = False
            answer = http.post(
                inside,
                data=signed.body,
                headers={**signed.headers, HEADER: simulation_id},
                timeout=_SECONDS,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        raise HubError(
            f"No receiver answers at port {hub.settings.receiver_port} of this machine "
            f"({type(error).__name__}). Start it with `python -m webhook_receiver`."
        ) from None
    return Simulated(
        simulation_id=simulation_id,
        integration_id=integration_id,
        status=answer.status_code,
        content_type=answer.headers.get("content-type", ""),
        answer=answer.text[:_MOST_ANSWER],
        milliseconds=round(answer.elapsed.total_seconds() * 1000),
        sent_at=sent_at,
    )
