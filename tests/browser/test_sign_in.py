"""Journeys through sign-in and sign-out in a real browser against a real server."""

from pathlib import Path

import pyotp
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlmodel import col, func, select

from lib.models import LoginThrottle
from lib.people import account_links
from lib.people.sessions import is_live, list_sessions
from lib.people.users import add_user, find_user
from tests.browser.conftest import (
    PAGES,
    PASSWORD,
    Dashboard,
    expect_heading,
    expect_login,
    path_of,
    run_dashboard,
    sign_in,
    wait_for_cookie,
)

NEW = "another good password"


def test_a_stranger_sees_no_page_on_a_fresh_server(chromium: Browser, tmp_path: Path) -> None:
    with run_dashboard(tmp_path) as fresh:
        context = chromium.new_context()
        page = context.new_page()
        for name in [*PAGES, "", "no-such-page"]:
            page.goto(f"{fresh.url}/{name}")
            expect_login(page)
            expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
            for title in PAGES:
                shown = page.get_by_role("heading", name=title.capitalize(), exact=True)
                expect(shown).to_have_count(0)
                expect(page.get_by_role("link", name=title.capitalize())).to_have_count(0)
        context.close()


def test_the_cookie_is_out_of_reach_of_scripts_and_keeps_the_sign_in(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{dashboard.url}/account?from=mail")
    sign_in(page, "ada@example.com")
    expect_heading(page, "Account")
    assert path_of(page) == "/account?from=mail"

    cookie = wait_for_cookie(context)
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert not page.evaluate("document.cookie.includes('hub_session')")

    page.reload()
    expect_heading(page, "Account")
    assert path_of(page) == "/account?from=mail"


def test_signing_out_ends_every_tab_and_the_stolen_cookie(
    dashboard: Dashboard, context: BrowserContext, chromium: Browser
) -> None:
    first = context.new_page()
    first.goto(f"{dashboard.url}/account")
    sign_in(first, "ada@example.com")
    expect_heading(first, "Account")
    cookie = wait_for_cookie(context)
    second = context.new_page()
    second.goto(f"{dashboard.url}/account")
    expect_heading(second, "Account")

    first.get_by_role("button", name="Sign out", exact=True).click()
    expect_login(first)
    expect_login(second)
    assert first.get_by_test_id("stSidebarNav").count() == 0
    expect(second.get_by_role("heading", name="Account", exact=True)).to_have_count(0)
    first.wait_for_timeout(300)
    assert not [each for each in context.cookies() if each["name"] == "hub_session"]

    thief = chromium.new_context()
    thief.add_cookies(
        [{"name": "hub_session", "value": str(cookie["value"]), "url": dashboard.url}]
    )
    page = thief.new_page()
    page.goto(f"{dashboard.url}/account")
    expect_login(page)
    thief.close()


def test_unknown_names_fail_with_the_same_words_and_lock(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    add_user(dashboard.hub, email="eve@example.com", name="Eve", role="member", password=PASSWORD)
    page = context.new_page()
    page.goto(dashboard.url)
    expect_login(page)
    alert = page.get_by_test_id("stAlert")
    tried = 0
    for email, failures in (("eve@example.com", 1), ("nobody@example.com", 5)):
        page.reload()
        expect_login(page)
        for attempt in range(failures):
            sign_in(page, email, f"wrong {attempt}")
            tried += 1
            wait_until_counted(page, dashboard, tried)
            expect(alert).to_contain_text("The e-mail address or the password is wrong.")
    sign_in(page, "nobody@example.com")
    expect(alert).to_contain_text("Too many failed attempts. Try again in")


def wait_until_counted(page: Page, dashboard: Dashboard, tried: int) -> None:
    """Wait for this many failures of one address; the last one's alert stands there already."""
    for _ in range(300):
        with dashboard.hub.database.read() as session:
            found = session.exec(select(func.max(col(LoginThrottle.failures)))).one()
        if found == tried:
            expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{found} of {tried} attempts were counted")


def test_a_one_time_password_is_changed_before_anything_else(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    _, one_time = add_user(dashboard.hub, email="new@example.com", name="Nia", role="member")
    page = context.new_page()
    page.goto(f"{dashboard.url}/account")
    sign_in(page, "new@example.com", one_time or "")
    expect_heading(page, "Choose your own password")
    assert page.get_by_test_id("stSidebarNav").count() == 0

    page.get_by_role("textbox", name="One-time password").fill(one_time or "")
    page.get_by_role("textbox", name="New password", exact=True).fill(NEW)
    page.get_by_role("textbox", name="New password again").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect_heading(page, "Account")


def test_changing_the_password_ends_the_other_browser(
    dashboard: Dashboard, context: BrowserContext, chromium: Browser
) -> None:
    sam = find_user(dashboard.hub, "sam@example.com")
    assert sam is not None
    elsewhere = chromium.new_context()
    other = elsewhere.new_page()
    page = context.new_page()
    for each in (other, page):
        each.goto(f"{dashboard.url}/account")
        sign_in(each, "sam@example.com")
        expect_heading(each, "Account")
    assert len(list_sessions(dashboard.hub, sam)) == 2

    page.get_by_role("textbox", name="Current password").fill(PASSWORD)
    page.get_by_role("textbox", name="New password", exact=True).fill(NEW)
    page.get_by_role("textbox", name="New password again").fill(NEW)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    expect_login(other)
    elsewhere.close()
    [left] = list_sessions(dashboard.hub, sam)
    assert is_live(dashboard.hub, left.id)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-origin", "X-Hub-Ticket": "made-up"},
    ],
)
def test_the_cookie_route_refuses_strangers(dashboard: Dashboard, headers: dict[str, str]) -> None:
    answer = requests.post(f"{dashboard.url}/session", headers=headers, timeout=5)
    assert answer.status_code == 403
    assert "hub_session" not in answer.headers.get("Set-Cookie", "")


def test_every_answer_carries_the_security_headers(dashboard: Dashboard) -> None:
    for path in ("/", "/account", "/_stcore/health", "/session"):
        headers = requests.get(dashboard.url + path, timeout=5).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_the_number_of_visitors_is_nobodys_business(dashboard: Dashboard) -> None:
    assert requests.get(f"{dashboard.url}/_stcore/metrics", timeout=5).status_code == 404


def test_an_invitation_becomes_a_sign_in_with_a_second_factor(
    dashboard: Dashboard, context: BrowserContext, chromium: Browser
) -> None:
    link = account_links.invite(
        dashboard.hub, None, email="nora@example.com", name="Nora", role="member"
    )
    page = context.new_page()
    page.goto(account_links.url_of(link, dashboard.url))
    page.get_by_role("textbox", name="New password", exact=True).fill(NEW)
    page.get_by_role("textbox", name="New password again").fill(NEW)
    page.get_by_role("button", name="Save and sign in").click()
    expect_heading(page, "Overview")
    assert link.token not in page.url
    wait_for_cookie(context)

    page.goto(f"{dashboard.url}/account")
    page.get_by_role("button", name="Set up").click()
    secret = page.get_by_test_id("stCode").first.inner_text().strip()
    page.get_by_role("textbox", name="Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Recovery codes", exact=True)).to_be_visible()
    recovery = page.get_by_test_id("stCode").first.inner_text().split()[0]

    elsewhere = chromium.new_context()
    other = elsewhere.new_page()
    other.goto(f"{dashboard.url}/account?from=mail")
    sign_in(other, "nora@example.com", NEW)
    other.get_by_role("textbox", name="Code").fill("000000")
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_text("The code is wrong")).to_be_visible()
    other.get_by_role("textbox", name="Code").fill(recovery)
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect_heading(other, "Account")
    assert path_of(other) == "/account?from=mail"
    elsewhere.close()
