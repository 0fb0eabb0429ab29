"""How long a screen takes in the browser until a person can use it, with few and many events.

A real dashboard per hub, Chromium without a window, and whole loads of a page: what is measured
is from the start of the navigation until the heading and the first rows or charts are there, the
script is done, nothing is greyed out or waits, and this has been so for a moment. The hubs are
asked in turn, so that what else the machine does falls on all of them alike. Beside it stands the
processor's time that the dashboard's process took for the load, which a busy machine changes less.
"""

import os
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import Dashboard, run_dashboard
from tests.browser.visits import enter
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS

# Screen and case, the address, and what has to be there.
_CHART = '[data-testid="stVegaLiteChart"] :is(canvas, svg)'
_ROWS = '[data-testid="stDataFrame"] canvas'
SCREENS = (
    ("Overview", "whole", "", _CHART),
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
    else if (moment > 120000) resolve(null)
    else setTimeout(look, 10)
  }
  look()
})
"""


@dataclass(frozen=True)
class _Visitor:
    """A person's tab at one of the dashboards, and the number of that dashboard's process."""

    page: Page
    url: str
    process: int


def browse(hubs: Sequence[tuple[str, Path]], loads: int, only: str) -> None:
    """Measure every screen as each person on all hubs, and print a line for each.

    A hub is the URL of its database and the folder of its keys.
    """
    with ExitStack() as stack:
        browser = stack.enter_context(_chromium())
        running = [
            stack.enter_context(run_dashboard(folder, HUB_DATABASE_URL=url)) for url, folder in hubs
        ]
        for person in PEOPLE:
            visitors = [_open(browser, dashboard, person) for dashboard in running]
            for screen, case, path, first in SCREENS:
                if only.lower() in f"{screen} {case}".lower():
                    times = _measure(visitors, path, (screen, first), loads=loads)
                    print(f"  {screen:10}{case:16}{person:8}{_say(times)}", flush=True)


def _measure(
    visitors: Sequence[_Visitor], path: str, sought: tuple[str, str], *, loads: int
) -> list[list[tuple[float, float]]]:
    """Return by hub the milliseconds of each load: until it was usable, and of the processor."""
    times: list[list[tuple[float, float]]] = [[] for _ in visitors]
    # The first load of each is the browser's and the server's to warm up.
    for number in range(loads + 1):
        for visitor, each in zip(visitors, times, strict=True):
            before = _processor_milliseconds(visitor.process)
            visitor.page.goto(f"{visitor.url}/{path}", wait_until="commit")
            usable = visitor.page.evaluate(_USABLE, list(sought))
            if usable is None:
                raise RuntimeError(f"{visitor.page.url} shows no {sought} after two minutes")
            if number:
                each.append((usable, _processor_milliseconds(visitor.process) - before))
    return times


def _say(times: Sequence[Sequence[tuple[float, float]]]) -> str:
    walls = [[wall for wall, _ in each] for each in times]
    worked = [statistics.median([work for _, work in each]) for each in times]
    p50s = [statistics.median(each) for each in walls]
    p95s = [statistics.quantiles(each, n=20, method="inclusive")[-1] for each in walls]
    cells = "".join(f"{p50:8.0f} /{p95:6.0f}" for p50, p95 in zip(p50s, p95s, strict=True))
    ratios = f"x{p50s[-1] / p50s[0]:5.2f} / x{p95s[-1] / p95s[0]:5.2f}"
    processor = "".join(f"{each:7.0f}" for each in worked)
    return f"{cells}   {ratios}  {processor}   x{worked[-1] / worked[0]:5.2f}"


def _processor_milliseconds(process: int) -> float:
    """Return what all threads of a process have had of the processors."""
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime and stime, in ticks.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _process_at(url: str) -> int:
    """Return the process of the dashboard at this address, by its arguments."""
    wanted = f"--server.port={url.rpartition(':')[2]}".encode()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if wanted in place.read_bytes().split(b"\0"):
                return int(place.parent.name)
    raise RuntimeError(f"no dashboard runs at {url}")


def _open(browser: Browser, dashboard: Dashboard, person: str) -> _Visitor:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE)
    enter(context, dashboard, person)
    return _Visitor(context.new_page(), dashboard.url, _process_at(dashboard.url))


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS)
        )
        yield browser
        browser.close()
