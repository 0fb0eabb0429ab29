"""Which addresses the hub may call: what a URL may look like, and what is never dialled.

It only judges; whoever connects must ask again for the address that is really dialled, since a
name can resolve to something else each time.
"""

import ipaddress
import re
from collections.abc import Sequence

from lib.errors import InvalidInput
from lib.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# `is_global` is True for multicast, 6to4, NAT64 and more, so the ranges are listed:
# https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry.
BLOCKED_NETWORKS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocols
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        # Only 2000::/3 is given out as global unicast. What lies outside it holds loopback,
        # mapped IPv4, NAT64, discard, SRv6, unique local, link local and multicast.
        "::/3",
        "4000::/2",
        "8000::/1",
        "2001::/23",  # IETF protocols, with Teredo and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_LOOPBACK = ("127.0.0.1", "::1")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
# Backslash, "@", "%", controls and all that is not ASCII stand for nothing here, so no two
# parsers can read different hosts from it.
_URL = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<v6>(?=[0-9a-f.]*:)[0-9a-f:.]+)\]|(?P<host>[a-z0-9_.-]{1,253}))"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?#][!-\[\]-~]{0,2000})?",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*(?!0x[0-9a-f]*$)(?![0-9]+$)[a-z0-9_-]{1,63}")
_HIGHEST_PORT = 65_535


class AddressRefused(InvalidInput):
    """The hub does not call this address; the message holds no part of it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="url")


def check_address(address: str, allowed: Sequence[Network]) -> None:
    """Raise AddressRefused unless `address`, an IP, is public or in an `allowed` network.

    The message does not repeat the address: what a name resolves to inside the operator's
    network is no business of members.
    """
    # A zone such as %eth0 only says which link is meant.
    plain = address.partition("%")[0]
    found = _unmap(ipaddress.ip_address(plain))
    if any(found in network for network in BLOCKED_NETWORKS) and not _is_in(plain, allowed):
        raise AddressRefused(
            "The address leads into a private or reserved network, which the hub does not call. "
            "Enter a public one, or ask the operator to open the network in "
            "HUB_ALLOWED_PRIVATE_NETWORKS."
        )


def check_url(url: str, allowed: Sequence[Network]) -> None:
    """Raise AddressRefused unless `url` may be called, as far as its text can tell.

    Plain http is only for literal addresses in `allowed` networks, and for localhost where
    those include loopback.
    """
    parts = _URL.fullmatch(url)
    if parts is None or not 0 < int(parts["port"] or 1) <= _HIGHEST_PORT:
        raise AddressRefused(
            "The address is not a full URL such as https://example.com/hook. Enter it without "
            "user name, spaces and signs other than ASCII."
        )
    literal = _find_literal(parts)
    if literal is not None:
        check_address(literal, allowed)
        is_opened = _is_in(literal, allowed)
    else:
        is_opened = _is_local(parts["host"], allowed)
    if parts["scheme"].lower() != "https" and not is_opened:
        raise AddressRefused(
            "The address is not encrypted. Enter one that begins with https://; plain http is "
            "only for IP addresses in the operator's HUB_ALLOWED_PRIVATE_NETWORKS."
        )


def is_opened_literal(url: str, allowed: Sequence[Network]) -> bool:
    """Tell whether the host of `url` is a literal IP that the operator opened; names never are.

    A name could resolve to something else by the time it is called.
    """
    parts = _URL.fullmatch(url)
    try:
        literal = _find_literal(parts) if parts is not None else None
    except AddressRefused:
        return False
    return literal is not None and _is_in(literal, allowed)


def _find_literal(parts: re.Match[str]) -> str | None:
    """Return the IP that stands as host, or None for a name; refuse what may be either."""
    try:
        return str(ipaddress.ip_address(parts["v6"] or parts["host"]))
    except ValueError:
        pass
    # Some resolvers take 2130706433, 0x7f.1 and 127.1 for IP addresses.
    if parts["host"] is None or not _NAME.fullmatch(parts["host"].lower()):
        raise AddressRefused(
            "The host is neither a name nor an IP address in its usual form. Enter one such as "
            "example.com, without a dot at its end."
        )
    return None


def _is_in(literal: str, allowed: Sequence[Network]) -> bool:
    stated = ipaddress.ip_address(literal)
    return any(item in network for network in allowed for item in (_unmap(stated), stated))


def _is_local(name: str, allowed: Sequence[Network]) -> bool:
    lower = name.lower()
    if lower not in _LOCAL_NAMES and not lower.endswith(".localhost"):
        return False
    if any(_is_in(own, allowed) for own in _LOOPBACK):
        return True
    raise AddressRefused(
        "localhost is the hub's own machine, which it does not call. Enter a public address, or "
        "ask the operator to open 127.0.0.0/8 in HUB_ALLOWED_PRIVATE_NETWORKS."
    )


def _unmap(address: Address) -> Address:
    """Return the IPv4 address inside ::ffff:a.b.c.d; the others tunnel and stay blocked."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
