"""What the audit log keeps of a change: each shown fact before and after, and no secret."""

from typing import Any

import pytest
from sqlmodel import col, select

from lib.access import Actor
from lib.alerts import channels, mail_settings
from lib.alerts.channels import ChannelDraft
from lib.alerts.mail_settings import MailDraft
from lib.backups.schedule import Schedule, set_schedule
from lib.connections import integrations
from lib.hub import Hub
from lib.models import AuditEntry
from lib.outgoing import destinations, routes
from lib.outgoing.destination_views import DestinationDraft
from lib.outgoing.routes import RouteDraft
from lib.people.users import rename, set_role
from tests.destination_factories import add_destination, add_route, use_targets
from tests.event_factories import SID, TOKEN, make_integration
from tests.factories import make_user

HOOK = "https://hooks.example.com/services/s3cr3t-hook"


@pytest.fixture(autouse=True)
def _targets(monkeypatch: pytest.MonkeyPatch) -> None:
    use_targets(monkeypatch)


@pytest.fixture
def staff(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


def last_details(hub: Hub) -> dict[str, Any]:
    with hub.database.read() as session:
        entry = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
    assert entry is not None
    return entry.details


def last_changes(hub: Hub) -> dict[str, tuple[str, str]]:
    changes = last_details(hub)["changes"]
    return {name: (each["before"], each["after"]) for name, each in changes.items()}


def written(hub: Hub) -> str:
    with hub.database.read() as session:
        return repr([entry.details for entry in session.exec(select(AuditEntry))])


def test_an_integration(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    values = {"account_sid": SID, "auth_token": "b" * 32, "from_number": "+14155550100"}
    integrations.update(hub, ada, item.id, name="Renamed", values=values)
    changes = last_changes(hub)
    assert changes["name"] == ("Front desk", "Renamed")
    assert changes["from_number"][1] == "+14155550100"
    assert "auth_token" not in changes
    assert "b" * 32 not in written(hub)
    assert TOKEN not in written(hub)


def test_a_destination_shows_its_host_alone(hub: Hub) -> None:
    ada = make_user(hub)
    shown = add_destination(hub, ada).destination
    draft = DestinationDraft("Renamed", url="https://new.example.org/s3cr3t?key=x", concurrency=3)
    destinations.update(hub, ada, shown.id, draft=draft)
    changes = last_changes(hub)
    assert changes["name"] == ("Warehouse", "Renamed")
    assert changes["host"][1] == "new.example.org"
    assert changes["concurrency"][1] == "3"
    assert "s3cr3t" not in written(hub)


def test_a_route(hub: Hub) -> None:
    ada = make_user(hub)
    item, first = make_integration(hub, ada), add_destination(hub, ada).destination
    second = add_destination(hub, ada, "Archive").destination
    route = add_route(hub, ada, item, first)
    condition: dict[str, Any] = {"path": "type", "operator": "equals", "value": "message.received"}
    draft = RouteDraft(
        integration_id=item.id, destination_id=second.id, filters=[condition], mapping="data"
    )
    routes.update(hub, ada, route.id, draft)
    changes = last_changes(hub)
    assert changes["to"] == ("Warehouse", "Archive")
    assert changes["conditions"][0] == "[]"
    assert "message.received" in changes["conditions"][1]
    assert changes["mapping"] == ("", "data")
    assert "from" not in changes


def test_an_alert_channel_hides_its_hook(hub: Hub, staff: Actor) -> None:
    channel_id = channels.add(hub, staff, ChannelDraft("slack", "Team", url=HOOK))
    channels.update(hub, staff, channel_id, ChannelDraft("slack", "Night", url=f"{HOOK}-2"))
    assert last_changes(hub) == {"name": ("Team", "Night")}
    assert last_details(hub)["fields"] == "url"
    assert "s3cr3t" not in written(hub)


def test_the_mail_server_without_its_password(hub: Hub, staff: Actor) -> None:
    given = {"sender": "hub@example.com", "user": "hub"}
    first = MailDraft("mail.example.com", 587, "starttls", password="correct horse", **given)
    mail_settings.set_mail_settings(hub, staff, first)
    second = MailDraft("mail.example.com", 465, "tls", password="battery staple", **given)
    mail_settings.set_mail_settings(hub, staff, second)
    assert last_changes(hub) == {"port": ("587", "465"), "security": ("starttls", "tls")}
    assert last_details(hub)["fields"] == "password"
    assert "horse" not in written(hub)
    assert "sealed" not in written(hub)


def test_the_backup_schedule_roles_and_names(hub: Hub, staff: Actor) -> None:
    set_schedule(hub, staff, Schedule(True, 4, "/var/backups/hub", 7))
    assert last_changes(hub)["hour"][1] == "4"
    ada = make_user(hub)
    set_role(hub, staff, user_id=ada.id, role="analyst")
    assert last_changes(hub) == {"role": ("member", "analyst")}
    rename(hub, ada, name="Ada L")
    assert last_changes(hub) == {"name": ("Ada", "Ada L")}
