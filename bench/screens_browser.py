"""How long a screen takes in the browser until a person can use it, with few and many events.

A real dashboard per hub, Chromium without a window, and whole loads of a page: what is measured
is from the start of the navigation until the heading and the first rows or charts are there, the
script is done, nothing is greyed out or waits, and this has been so for a moment. The hubs are
asked in turn, so that what else the machine does falls on all of them alike.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import Dashboard, run_dashboard
from tests.browser.visits import enter
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS

# Screen and case, the address, and what has to be there.
_CHART = '[data-testid="stVegaLiteChart"] :is(canvas, svg)'
_ROWS = '[data-testid="stDataFrame"] canvas'
SCREENS = (
    ("Overview", "whole", "overview", _CHART),
    ("Activity", "first page", "activity", _ROWS),
    ("Activity", "filtered", "activity?type=twilio.type1", _ROWS),
    ("Activity", "searched", "activity?q=ada0@example.com", _ROWS),
    ("Analytics", "deliveries, 7d", "analytics?span=7d", _CHART),
    ("Analytics", "deliveries, 30d", "analytics?span=30d", _CHART),
    ("Analytics", "deliveries, 90d", "analytics?span=90d", _CHART),
)
PEOPLE = ("member0", "staff")
_PATIENCE = 120_000
# Resolves with the milliseconds since the navigation began at which all was there to stay.
_USABLE = """
([heading, first]) => new Promise(resolve => {
  const app = '[data-testid="stApp"][data-test-script-state="notRunning"]'
  const busy = '[data-testid="stSkeleton"], [data-testid="stSpinner"], [data-stale="true"]'
  let since = null
  const look = () => {
    const named = [...document.querySelectorAll('h1')].some(h => h.innerText.trim() === heading)
    const shown = [...document.querySelectorAll(first)].some(e => e.getBoundingClientRect().width)
    const done = document.querySelector(app) && !document.querySelector(busy)
    const moment = performance.now()
    since = named && shown && done ? since ?? moment : null
    if (since !== null && moment - since > 300) resolve(since)
    else setTimeout(look, 10)
  }
  look()
})
"""
Figures = dict[tuple[str, str, str], list[tuple[float, float]]]


def browse(hubs: Sequence[tuple[str, Path]], loads: int, only: str) -> Figures:
    """Return p50 and p95 of the milliseconds by screen, case and person, for each hub.

    A hub is the URL of its database and the folder of its keys.
    """
    found: Figures = {}
    with ExitStack() as stack:
        browser = stack.enter_context(_chromium())
        running = [
            stack.enter_context(run_dashboard(folder, HUB_DATABASE_URL=url)) for url, folder in hubs
        ]
        for person in PEOPLE:
            pages = [_open(browser, dashboard, person) for dashboard in running]
            for screen, case, path, first in SCREENS:
                if only.lower() in f"{screen} {case}".lower():
                    measured = _measure(pages, path, (screen, first), loads=loads)
                    found[screen, case, person] = measured
    return found


def print_figures(found: Mapping[tuple[str, str, str], list[tuple[float, float]]]) -> None:
    """Print a table of what `browse` returned."""
    for (screen, case, person), figures in found.items():
        cells = "".join(f"{p50:8.0f} /{p95:6.0f}" for p50, p95 in figures)
        p50s, p95s = zip(*figures, strict=True)
        ratios = f"x{p50s[-1] / p50s[0]:5.2f} / x{p95s[-1] / p95s[0]:5.2f}"
        print(f"  {screen:10}{case:16}{person:8}{cells}   {ratios}")


def _measure(
    pages: Sequence[tuple[Page, str]], path: str, sought: tuple[str, str], *, loads: int
) -> list[tuple[float, float]]:
    times: list[list[float]] = [[] for _ in pages]
    # The first load of each is the browser's and the server's to warm up.
    for number in range(loads + 1):
        for (page, url), each in zip(pages, times, strict=True):
            page.goto(f"{url}/{path}", wait_until="commit")
            milliseconds: float = page.evaluate(_USABLE, list(sought))
            if number:
                each.append(milliseconds)
    return [(statistics.median(each), statistics.quantiles(each, n=20)[-1]) for each in times]


def _open(browser: Browser, dashboard: Dashboard, person: str) -> tuple[Page, str]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE)
    enter(context, dashboard, person)
    return context.new_page(), dashboard.url


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS)
        )
        yield browser
        browser.close()
