"""A connection whose app can be authorised, in front of a fake that counts refreshes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from sqlmodel import select

from lib.access import Actor
from lib.clock import now
from lib.connections import integrations
from lib.connections.integrations import Integration, owned_row
from lib.hub import Hub
from lib.models import (
    ApiCall,
    AuditEntry,
    IntegrationConfig,
    OAuthGrant,
    OAuthInstall,
    VendorBudget,
)
from lib.vendors import oauth
from tests.factories import make_user
from tests.fakes import gohighlevel
from tests.fakes.gohighlevel import LOCATION_ID, Meter
from tests.fakes.gohighlevel_oauth import CLIENT_ID, CLIENT_SECRET, AppGrants
from tests.fakes.server import running

VALUES = {"location_id": LOCATION_ID, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class App:
    """Ada's connection with her own Marketplace app."""

    def __init__(self, hub: Hub, grants: AppGrants, url: str) -> None:
        settings = hub.settings.model_copy(update={"gohighlevel_api_url": url})
        self.hub = Hub(settings=settings, database=hub.database, vault=hub.vault)
        self.grants, self.url = grants, url
        self.ada: Actor = make_user(hub)
        self.id = self.add(self.ada, "Studio")

    def add(self, owner: Actor, name: str, **values: str) -> str:
        issued = integrations.add(
            self.hub,
            owner,
            service_name="gohighlevel",
            name=name,
            values={**VALUES, **values},
        )
        return issued.integration.id

    def begin(self) -> str:
        """Return the state that the browser carries."""
        url = oauth.begin_install(self.hub, self.ada, self.id)
        return parse_qs(urlsplit(url).query)["state"][0]

    def agree(self, user_type: str = "Location", location: str = LOCATION_ID) -> str:
        """Return a code, as the vendor's page hands one to the browser."""
        code = f"code-{len(self.grants.codes) + self.grants.issued}"
        self.grants.codes[code] = (user_type, location)
        return code

    def connect(self, user_type: str = "Location") -> None:
        oauth.complete_install(self.hub, state=self.begin(), code=self.agree(user_type))

    def grant(self) -> OAuthGrant | None:
        with self.hub.database.read() as session:
            return session.get(OAuthGrant, self.id)

    def row(self) -> IntegrationConfig:
        with self.hub.database.read() as session:
            return owned_row(session, self.ada, self.id)

    def age(self, by: timedelta, **more: object) -> None:
        """Let the tokens be older by that much."""
        with self.hub.database.write() as session:
            grant = session.get_one(OAuthGrant, self.id)
            for name in ("expires_at", "account_expires_at", "refresh_at", "renew_at"):
                setattr(grant, name, getattr(grant, name) - by)
            for name, value in more.items():
                setattr(grant, name, value)

    def everything_stored(self) -> str:
        """Return what a reader of the tables sees."""
        tables = (IntegrationConfig, OAuthGrant, OAuthInstall, VendorBudget, ApiCall, AuditEntry)
        with self.hub.database.read() as session:
            return repr([session.exec(select(table)).all() for table in tables])


@contextmanager
def app_of(hub: Hub, meter: Meter | None = None) -> Iterator[App]:
    """Yield a connection in front of a running fake, whose calls `meter` counts."""
    grants = AppGrants(LOCATION_ID)
    with running(gohighlevel.make_app(meter, grants)) as url:
        yield App(hub, grants, url)


def lease(seconds: float) -> dict[str, object]:
    """Return the columns of a lease that another process holds."""
    return {"lease_holder": "another", "lease_ends_at": now() + timedelta(seconds=seconds)}


def make_grant(hub: Hub, item: Integration, *, facts: Mapping[str, str]) -> None:
    """Insert an authorisation without tokens, for tests below the use cases."""
    moment = now()
    times = dict.fromkeys(
        ("expires_at", "account_expires_at", "refresh_at", "renew_at", "connected_at"), moment
    )
    with hub.database.write() as session:
        session.add(
            OAuthGrant(
                id=item.id,
                credentials={},
                facts=dict(facts),
                is_wide=False,
                generation=1,
                updated_at=moment,
                **times,
            )
        )


def make_budget(hub: Hub, service_name: str, account: str) -> None:
    """Insert the budget of an account of which nothing is spent."""
    moment = now()
    with hub.database.write() as session:
        session.add(
            VendorBudget(
                service_name=service_name,
                account=account,
                burst_limit=100,
                spent={},
                daily_limit=1000,
                daily_remaining=900,
                day_ends_at=moment + timedelta(hours=1),
                updated_at=moment,
            )
        )
