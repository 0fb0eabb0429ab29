"""A member with one of everything, each under names and values that occur nowhere else."""

from dataclasses import dataclass

from lib.access import Actor
from lib.alerts import channels
from lib.alerts.channels import ChannelDraft
from lib.clock import now
from lib.connections import integrations
from lib.hub import Hub
from lib.ids import new_id
from lib.laboratory import endpoints
from lib.lists.saved_views import save_view
from lib.models import Alert, EventKey
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.replays import dry_run, start
from lib.people import api_tokens
from tests.event_factories import make_event, make_rejection, make_rollup
from tests.outgoing_factories import (
    SIGNING_SECRET,
    make_attempt,
    make_delivery,
    make_destination,
    make_issue,
    make_route,
)

# What the owner's things are called; what the contact is called and wrote.
NAME = "Quokka"
DIGITS = "4155550177"
CONTACT = (DIGITS, "+14155550177", "Quokkaburra", "quentin.q@example.org", "table by the window")
_ACCOUNT = "AC" + "7e57" * 8
_TOKEN = "5ec4e7705ec4e7715ec4e7725ec4e773"
_HOOK = "https://hooks.example.com/catch/s3cr3t-quokka-path"
_SLACK = "https://hooks.slack.com/services/T000/B000/s3cr3tquokkaslack"


@dataclass(frozen=True)
class World:
    """The ids of what a member has, and every secret of it in plain text."""

    owner: Actor
    ids: dict[str, str]
    secrets: tuple[str, ...]


def make_world(hub: Hub, owner: Actor) -> World:
    """Give `owner` one of everything."""
    issued = integrations.add(
        hub,
        owner,
        service_name="twilio",
        name=f"{NAME} desk",
        values={"account_sid": _ACCOUNT, "auth_token": _TOKEN},
    )
    item = issued.integration
    sms = {
        "MessageSid": "SM" + "7" * 32,
        "AccountSid": _ACCOUNT,
        "From": "+14155550177",
        "To": "+14155550199",
        "ProfileName": "Quentin Quokkaburra",
        "Body": "The table by the window, for quentin.q@example.org, please",
    }
    event = make_event(hub, item, payload=sms, event_type="message.inbound")
    with hub.database.write() as session:
        session.add(EventKey(event_id=event, kind="phone", value="+14155550177"))
    make_rollup(hub, item, 1, event_type="message.inbound")
    place = make_destination(hub, owner, f"{NAME} sink", url=_HOOK)
    route = make_route(hub, item, place, f"{NAME} route")
    delivery = make_delivery(hub, event, place, status="dead")
    make_attempt(hub, delivery, outcome="dead", response_body=b"No table by the window")
    issue = make_issue(hub, delivery)
    replay = start(hub, owner, dry_run(hub, owner, DeliveryFilters(ids=(delivery.id,))))
    save_view(hub, owner, page="activity", name=f"{NAME} view", query=f"q={DIGITS}")
    channels.add(hub, owner, ChannelDraft(kind="slack", name=f"{NAME} channel", url=_SLACK))
    trial = endpoints.add(hub, owner, kind="bin", name=f"{NAME} bin")
    token = api_tokens.create(hub, owner, name=f"{NAME} token", scopes=["read:events"])
    ids = {
        "integration": item.id,
        "event": event,
        "destination": place.id,
        "route": route.id,
        "delivery": delivery.id,
        "issue": issue,
        "replay": replay.id,
        "rejection": make_rejection(hub, item),
        "alert": _make_alert(hub, owner, place.id),
        "trial": trial.id,
        "member": owner.id,
    }
    known = (_TOKEN, "s3cr3t-quokka-path", "s3cr3tquokkaslack", SIGNING_SECRET, token.secret)
    return World(owner, ids, known)


def _make_alert(hub: Hub, owner: Actor, object_id: str) -> str:
    moment = now()
    row = Alert(
        id=new_id("alr"),
        user_id=owner.id,
        kind="destination_disabled",
        object_id=object_id,
        state="open",
        title=f"{NAME} sink was switched off",
        message="The other side answered 410.",
        path=f"webhooks?open={object_id}",
        count=1,
        first_seen_at=moment,
        last_seen_at=moment,
    )
    with hub.database.write() as session:
        session.add(row)
    return row.id
