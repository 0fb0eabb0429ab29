"""A browser in front of the main script, without a server: what page tests start from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from lib.access import Actor
from lib.hub import Hub
from lib.people.sessions import redeem_ticket, start_session
from lib.ui import resources
from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[1]


class Visitor:
    """Opens the main script as one browser would, with its cookies."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.cookies: dict[str, str] = {}

    def sign_in(self, role: str) -> Actor:
        """Make a user of this role and hold a session's cookie."""
        actor = make_user(self.hub, f"{role}@example.com", role)
        self.sign_in_as(actor)
        return actor

    def sign_in_as(self, actor: Actor) -> str:
        """Hold the cookie of a new session; return the session's id."""
        session_id, ticket = start_session(
            self.hub, actor, ip="local", user_agent="Firefox/1 Linux"
        )
        self.cookies["hub_session"] = redeem_ticket(self.hub, ticket) or ""
        return session_id

    def open(self, page: str | None = None) -> AppTest:
        """Run the main script, then go to the page."""
        script = AppTest.from_file(str(ROOT / "lib/ui/main.py"), default_timeout=20).run()
        if page:
            script.switch_page(f"../../pages/{page}.py").run()
        return script

    def run_alone(self, page: str) -> AppTest:
        """Run the page's file without the main script, past the gate and the menu."""
        return AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=20).run()


@contextmanager
def visiting(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """Put `hub` and the visitor's cookies where the scripts look for them."""
    visitor = Visitor(hub)
    monkeypatch.setattr(resources, "open_hub", lambda settings: hub)
    monkeypatch.setattr(
        "streamlit.runtime.context._get_client_context",
        lambda: SimpleNamespace(headers=[], cookies=visitor.cookies, remote_ip="127.0.0.1"),
    )
    _forget()
    yield visitor
    _forget()


def _forget() -> None:
    resources.get_hub.clear()
    resources.get_settings.clear()
