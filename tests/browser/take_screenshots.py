"""Photographs the screens of a hub that holds the demo data: `make screenshots`."""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from lib.clock import now
from lib.demo.fill import fill
from lib.hub import Hub
from lib.models import WorkerHeartbeat
from lib.sessions import redeem_ticket, start_session
from lib.sign_in import authenticate, change_password
from tests.browser.conftest import PASSWORD, ROOT, Dashboard, expect_heading, run_dashboard
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from webhook_receiver.app import create_app

FOLDER = ROOT / "docs" / "screenshots"


@dataclass(frozen=True)
class Screen:
    """One photograph: `name` is the file's, `path` the address, `title` the heading waited for."""

    name: str
    title: str
    path: str


# A new screen is one line here.
SCREENS = (
    # The first page has no path of its own.
    Screen("overview", "Overview", ""),
    Screen("analytics", "Analytics", "analytics"),
    Screen("activity", "Activity", "activity"),
    Screen("integrations", "Integrations", "integrations"),
    Screen("integrations-table", "Integrations", "integrations?table=true"),
    Screen("integration-add", "Add Twilio", "integrations?add=twilio"),
    Screen("webhooks", "Webhooks", "webhooks"),
    Screen("deliveries", "Deliveries", "deliveries"),
    Screen("issues", "Issues", "issues"),
    Screen("rejected", "Rejected", "rejected"),
    Screen("testing", "Testing tools", "testing"),
    Screen("users", "Users", "users"),
    Screen("audit", "Audit", "audit"),
    Screen("account", "Account", "account"),
)
SIZE: ViewportSize = {"width": 1280, "height": 800}
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


def main() -> int:
    """Write every screen in both themes and return the exit status."""
    if not CHROMIUM.exists():
        print(f"There is no {CHROMIUM}: apt-get install chromium", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, run_dashboard(Path(folder)) as dashboard:
        cookie = _prepare(dashboard)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS)
            )
            for theme in THEMES:
                _photograph(dashboard, browser, theme=theme, cookie=cookie)
            browser.close()
    return 0


def _prepare(dashboard: Dashboard) -> str:
    hub = dashboard.hub
    filled = fill(hub.settings, create_app)
    member = authenticate(hub, filled.email, password=filled.password or "", ip="local")
    change_password(hub, member, current=filled.password or "", new=PASSWORD, keep_session=None)
    _, ticket = start_session(hub, member, ip="local", user_agent="screenshots")
    return redeem_ticket(hub, ticket) or ""


def _give_sign_of_life(hub: Hub) -> None:
    """Stand in for a worker, which would send what waits to invented addresses."""
    beat = WorkerHeartbeat(id="wrk_demo", host="demo", started_at=now(), beat_at=now())
    with hub.database.write() as session:
        session.merge(beat)


def _photograph(dashboard: Dashboard, browser: Browser, *, theme: Theme, cookie: str) -> None:
    context = browser.new_context(viewport=SIZE, color_scheme=theme)
    context.add_cookies([{"name": "hub_session", "value": cookie, "url": dashboard.url}])
    for screen in SCREENS:
        _give_sign_of_life(dashboard.hub)
        page = context.new_page()
        page.goto(f"{dashboard.url}/{screen.path}")
        expect_heading(page, screen.title)
        page.wait_for_timeout(2_500)
        page.screenshot(path=FOLDER / f"{screen.name}-{theme}.png")
        page.close()
    context.close()


if __name__ == "__main__":
    sys.exit(main())
