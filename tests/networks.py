"""What tests about addresses share: networks, and name servers that answer as told."""

import ipaddress
import socket
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import pytest

from lib.settings import Network


def parse_networks(*texts: str) -> tuple[Network, ...]:
    """Return the networks that `texts` write."""
    return tuple(ipaddress.ip_network(text) for text in texts)


NOTHING: tuple[Network, ...] = ()
LOOPBACK = parse_networks("127.0.0.0/8")


class NameServer:
    """Stands in for the system's: each look-up of a name gets the next answer, then the last.

    Literal addresses resolve to themselves; every other name is unknown. `asked` counts.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: dict[str, int] = {}
        self._answers: dict[str, Iterator[Sequence[str]]] = {}
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def answer(self, name: str, *answers: Sequence[str]) -> None:
        """Let `name` resolve to each of `answers` in turn."""
        self._answers[name] = chain(answers, repeat(answers[-1]))

    def _look_up(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        name = str(host)
        self.asked[name] = self.asked.get(name, 0) + 1
        return [_info(address, port) for address in self._addresses(name)]

    def _addresses(self, name: str) -> Sequence[str]:
        if name in self._answers:
            return next(self._answers[name])
        try:
            return [str(ipaddress.ip_address(name))]
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, "unknown") from None


def _info(address: str, port: int) -> tuple[Any, ...]:
    is_v6 = ":" in address
    family = socket.AF_INET6 if is_v6 else socket.AF_INET
    place = (address, port, 0, 0) if is_v6 else (address, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place
