"""All that the dashboard sends to whoever opens an address, read from its socket.

A browser takes two seconds to load an address; what it is sent is there in a fraction of one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from lib.people.sessions import redeem_ticket, start_session
from tests.browser.conftest import Dashboard
from tests.browser.visits import holds, person

_PATIENCE_SECONDS = 30
_FILES = re.compile(rb"/media/[\w.-]+")


@dataclass(frozen=True)
class Sent:
    """What came for one address: the frames of its socket, and the files that they name."""

    frames: Sequence[bytes]
    files: Sequence[bytes]

    def holds(self, text: str) -> bool:
        """Say whether these characters came, as they are or as base64 would carry them."""
        return holds((*self.frames, *self.files), text)

    def headings(self) -> list[str]:
        """Return the headings of the screen, from the top."""
        messages = [ForwardMsg.FromString(frame) for frame in self.frames]
        headings = [message.delta.new_element.heading.body for message in messages]
        return [heading for heading in headings if heading]


@dataclass(frozen=True)
class Reader:
    """Opens addresses with the session of one user, each as a new tab would."""

    dashboard: Dashboard
    cookie: str

    def open(self, path: str) -> Sent:
        """Return what is sent for the address until its script is done."""
        page, _, query = path.partition("?")
        begin = BackMsg()
        begin.rerun_script.page_name = page
        begin.rerun_script.query_string = quote(query, safe="=&%")
        with self._connect() as socket:
            socket.send(begin.SerializeToString())
            frames = list(_until_done(socket))
        found = {name.decode() for frame in frames for name in _FILES.findall(frame)}
        return Sent(frames, [self._fetch(name) for name in sorted(found)])

    def _connect(self) -> ClientConnection:
        return connect(
            f"{self.dashboard.url.replace('http', 'ws', 1)}/_stcore/stream",
            origin=self.dashboard.url,
            subprotocols=["streamlit"],
            additional_headers={"Cookie": f"hub_session={self.cookie}"},
            max_size=None,
            proxy=None,
        )

    def _fetch(self, name: str) -> bytes:
        answer = requests.get(self.dashboard.url + name, timeout=_PATIENCE_SECONDS)
        answer.raise_for_status()
        return answer.content


def reader_of(dashboard: Dashboard, name: str) -> Reader:
    """Return the reader with a session of one of the users of the `dashboard` fixture."""
    actor = person(dashboard.hub, name)
    _, ticket = start_session(dashboard.hub, actor, ip="local", user_agent="test")
    return Reader(dashboard, redeem_ticket(dashboard.hub, ticket) or "")


def _until_done(socket: ClientConnection) -> Iterator[bytes]:
    kind = None
    while kind != "script_finished":
        frame = socket.recv(timeout=_PATIENCE_SECONDS, decode=False)
        yield frame
        kind = ForwardMsg.FromString(frame).WhichOneof("type")
