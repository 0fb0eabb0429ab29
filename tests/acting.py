"""Actions against fakes on loopback: run alone, or with a hub around them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

from lib.access import Actor
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.http import CallRecord, VendorClient
from lib.hub import Hub
from lib.providers.actions import ActionCall
from lib.settings import Settings
from lib.vendors.action_runs import check_input, find_action
from tests.fakes import make, twilio, zapier
from tests.fakes.server import running

WEBHOOK_URL = "https://hub.example.com/api/webhooks/x/0123456789abcdef0123456789abcdef"
SENDER = "+15005550006"
PHONE = "+14155550123"
_NOWHERE = "http://127.0.0.1:9"
_FAKES = {"twilio": twilio.make_app, "make": make.make_app, "zapier": zapier.make_app}
TWILIO_VALUES = {
    "account_sid": twilio.ACCOUNT_SID,
    "auth_token": twilio.AUTH_TOKEN,
    "from_number": SENDER,
}


@dataclass(frozen=True)
class Vendors:
    """Fakes that run, and the settings that point to them."""

    apps: Mapping[str, Starlette]
    urls: Mapping[str, str]
    settings: Settings


@contextmanager
def vendors(*names: str) -> Iterator[Vendors]:
    """Serve the fakes of these vendors, of Twilio, Make and Zapier by default."""
    apps = {name: _FAKES[name]() for name in names or _FAKES}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(running(app)) for name, app in apps.items()}
        settings = Settings(
            twilio_api_url=urls.get("twilio", _NOWHERE),
            make_api_url=urls.get("make", _NOWHERE),
            public_url="https://hub.example.com",
            allowed_private_networks="127.0.0.0/8",  # type: ignore[arg-type]
        )
        yield Vendors(apps, urls, settings)


def act(
    found: Vendors, slug: str, name: str, values: Mapping[str, str], **given: Any
) -> tuple[Any, list[CallRecord]]:
    """Run an action of a provider alone; return its answer and the calls it made."""
    action = find_action(slug, name)
    checked = check_input(action, given)
    allowed, vouched = found.settings.allowed_private_networks, found.settings.vendor_api_urls
    with VendorClient(allowed, vouched) as client:
        call = ActionCall(values, found.settings, client, WEBHOOK_URL)
        return action.run(checked, call), client.calls


def near(hub: Hub, found: Vendors) -> Hub:
    """Return `hub` with its vendors replaced by the fakes."""
    names = ("twilio_api_url", "make_api_url", "public_url", "allowed_private_networks")
    changes = {name: getattr(found.settings, name) for name in names}
    settings = hub.settings.model_copy(update=changes)
    return Hub(settings=settings, database=hub.database, vault=hub.vault)


def connect_twilio(hub: Hub, owner: Actor, **values: str) -> Integration:
    """Add a Twilio integration with the fake's credentials."""
    merged = {**TWILIO_VALUES, **values}
    issued = integrations.add(hub, owner, service_name="twilio", name="Front desk", values=merged)
    return issued.integration
