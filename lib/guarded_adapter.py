"""The transport of the vendor client that dials no address which the hub does not call."""

import socket
from collections.abc import Sequence
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from lib.addresses import check_address, check_url
from lib.settings import Network

# Each may take the whole connect timeout, and a name can have hundreds.
_MOST_DIALLED = 3


class GuardedAdapter(HTTPAdapter):
    """Checks the URL of each request and the address that each connection dials."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        super().__init__()
        self._allowed = allowed

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """Return a pool whose connections are guarded; raise AddressRefused for a bad URL."""
        check_url(request.url or "", self._allowed)
        found = super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        pool = cast("HTTPConnectionPool", found)
        is_tls = pool.scheme == "https"
        pool.ConnectionCls = _GuardedTlsConnection if is_tls else _GuardedConnection
        pool.conn_kw["allowed"] = self._allowed
        return pool


class _GuardedConnection(HTTPConnection):
    def __init__(self, *args: Any, allowed: Sequence[Network], **options: Any) -> None:
        super().__init__(*args, **options)
        self._allowed = allowed

    def _new_conn(self) -> socket.socket:
        """Dial one of the addresses that were checked, never the name again.

        The name is put back at once: it is what the certificate is checked against.
        """
        name = self._dns_host
        *earlier, last = self._checked_addresses(name)
        try:
            for address in earlier:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except ConnectTimeoutError:
                    continue
            self._dns_host = last
            return super()._new_conn()
        finally:
            self._dns_host = name

    def _checked_addresses(self, name: str) -> list[str]:
        # Of these classes the callers know that nothing was sent; a bare error says no such thing.
        try:
            found = socket.getaddrinfo(
                name.strip("[]"), self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        except OSError as error:
            raise NewConnectionError(self, f"Failed to look up '{name}' ({error})") from error
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        for address in addresses:
            check_address(address, self._allowed)
        return addresses[:_MOST_DIALLED]


class _GuardedTlsConnection(_GuardedConnection, HTTPSConnection):
    """The same over TLS."""
