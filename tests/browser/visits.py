"""What journeys share: a session to start from, a page at rest, and all that a browser was sent."""

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Error, Page, Response, WebSocket, expect

from lib.access import Actor
from lib.hub import Hub
from lib.people.sessions import redeem_ticket, start_session
from lib.people.users import find_user
from tests.browser.conftest import Dashboard

# Parts of the program itself, which know no data.
_PROGRAM = ("/static/", "/_stcore/", "/vendor/")


class Traffic:
    """All that came to a page, as bytes: frames of its sockets and bodies of its answers."""

    def __init__(self, page: Page) -> None:
        self.frames: list[bytes] = []
        self._answers: list[Response] = []
        self._bodies: list[bytes] = []
        page.on("websocket", self._listen)
        page.on("response", self._note)

    def holds(self, text: str) -> bool:
        """Say whether these characters came, as they are or as base64 would carry them."""
        return holds((*self.frames, *self.bodies()), text)

    def count(self, text: str | bytes) -> int:
        """Return how often these bytes came."""
        wanted = text.encode() if isinstance(text, str) else text
        return sum(part.count(wanted) for part in (*self.frames, *self.bodies()))

    def forget(self) -> None:
        """Begin anew, before the next address."""
        self.frames.clear()
        self._answers.clear()
        self._bodies.clear()

    def bodies(self) -> list[bytes]:
        """Return what was answered over HTTP, without the parts of the program."""
        waiting, self._answers = self._answers, []
        for answer in waiting:
            if not any(part in answer.url for part in _PROGRAM):
                self._bodies.append(_body_of(answer))
        return self._bodies

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._keep)

    def _note(self, answer: Response) -> None:
        self._answers.append(answer)

    def _keep(self, frame: str | bytes) -> None:
        self.frames.append(frame.encode() if isinstance(frame, str) else frame)


def holds(parts: Iterable[bytes], text: str) -> bool:
    """Say whether these characters are in a part, as they are or as base64 would carry them."""
    forms = _forms(text)
    return any(form in part for part in parts for form in forms)


def person(hub: Hub, name: str) -> Actor:
    """Return one of the users of the `dashboard` fixture, such as "ada"."""
    found = find_user(hub, f"{name}@example.com")
    assert found
    return found


def enter(context: BrowserContext, dashboard: Dashboard, name: str) -> Actor:
    """Give the browser a session of this user, without the form."""
    actor = person(dashboard.hub, name)
    _, ticket = start_session(dashboard.hub, actor, ip="local", user_agent="test")
    cookie = redeem_ticket(dashboard.hub, ticket) or ""
    context.add_cookies([{"name": "hub_session", "value": cookie, "url": dashboard.url}])
    return actor


def visit(page: Page, url: str) -> None:
    """Open an address and wait until the script has drawn all of it."""
    page.goto(url, wait_until="commit")
    rest(page)


def rest(page: Page) -> None:
    """Wait until the menu stands and the script is done."""
    expect(page.get_by_test_id("stSidebarNav")).to_be_visible(timeout=30_000)
    app = page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
    expect(app).to_be_visible(timeout=30_000)


@contextmanager
def no_mouse(page: Page) -> Iterator[None]:
    """Let every press of a mouse button fail the journey."""
    page.evaluate(
        "window.pressed = 0; addEventListener('mousedown', () => { window.pressed += 1 }, true)"
    )
    yield
    assert page.evaluate("window.pressed") == 0


def _body_of(answer: Response) -> bytes:
    try:
        return answer.body()
    except Error:
        # A redirect or an answer that the browser dropped has none.
        return b""


def _forms(text: str) -> set[bytes]:
    raw = text.encode()
    # The three places that a text may have in a longer one; ends that neighbours change are cut.
    shifted = {
        base64.b64encode(b"\0" * start + raw)[4 if start else 0 : -4].lstrip(b"=")
        for start in range(3)
    }
    return {raw, text.encode("utf-16-le"), *(each for each in shifted if len(each) >= 8)}
