"""Which addresses and URLs may be called, against the recorded ranges and tricks."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.addresses import (
    BLOCKED_NETWORKS,
    AddressRefused,
    check_address,
    check_url,
    is_opened_literal,
)
from lib.errors import InvalidInput
from tests.fakes.vectors import load
from tests.networks import LOOPBACK, NOTHING, parse_networks

VECTORS = load("ssrf")
GLOBAL_BY_PYTHON = VECTORS["python_is_global_misses"]["these_blocked_addresses_have_is_global_true"]
PUBLIC_V6 = ipaddress.ip_network("2000::/3")
# What a URL of the vectors is, without the remark behind it.
BLOCKED_URLS = [text.partition(" (")[0] for text in VECTORS["block_url"]]


@pytest.mark.parametrize("address", [*VECTORS["block_ip"], *GLOBAL_BY_PYTHON])
def test_blocked_address_is_refused_without_being_named(address: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        check_address(address, NOTHING)
    assert address not in caught.value.message.split()
    assert "HUB_ALLOWED_PRIVATE_NETWORKS" in caught.value.message


@pytest.mark.parametrize("text", VECTORS["blocked_ranges"])
def test_both_ends_of_each_range_are_refused(text: str) -> None:
    network = ipaddress.ip_network(text)
    ends = (network[0], network[-1])
    assert any(network.version == own.version and network.subnet_of(own)  # type: ignore[arg-type]
               for own in BLOCKED_NETWORKS)  # fmt: skip
    # Mapped addresses are read as the IPv4 address that they hold; the first and last are blocked.
    for address in ends:
        with pytest.raises(AddressRefused):
            check_address(str(address), NOTHING)


@pytest.mark.parametrize("address", [*VECTORS["allow_ip"], "::ffff:8.8.8.8"])
def test_public_address_passes(address: str) -> None:
    check_address(address, NOTHING)


@given(st.ip_addresses(v=6))
def test_ipv6_outside_global_unicast_is_refused(address: ipaddress.IPv6Address) -> None:
    if address in PUBLIC_V6 or address.ipv4_mapped:
        return
    with pytest.raises(AddressRefused):
        check_address(str(address), NOTHING)


def test_link_local_zone_is_no_way_round() -> None:
    with pytest.raises(AddressRefused):
        check_address("fe80::1%eth0", NOTHING)


def test_allow_list_is_the_only_exception() -> None:
    allowed = parse_networks("192.168.7.0/24", "fd00:7::/32")
    for address in ("192.168.7.9", "::ffff:192.168.7.9", "fd00:7::1", "8.8.8.8"):
        check_address(address, allowed)
    for address in (
        "192.168.8.1",
        "127.0.0.1",
        "fd00:8::1",
        "64:ff9b::c0a8:709",
        "2002:c0a8:709::",
    ):
        with pytest.raises(AddressRefused):
            check_address(address, allowed)


@pytest.mark.parametrize("url", BLOCKED_URLS)
def test_trick_url_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url, NOTHING)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///x",
        "https:example.com",
        "https://example.com:0/",
        "https://example.com:70000/",
        "https://example.com:/",
        "https://example.com./",
        "https://localhost./",
        "https://api.localhost/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://1.2.3.4.5/",
        "https://example.0x7f/",
        "https://a..b/",
        "https://[::1]example.com/",
        "https://[1.2.3.4]/",
        "https://[v1.a]/",
        "https://[::ffff:10.0.0.1]/",
        "https://user@example.com/",
        "https://example.com/a b",
        "https://example.com/\r\nhost: x",
        "https://example.com\t/",
        " https://example.com/",
        "https://example.com\n",
        "https://exa%6dple.com/",
        "https://bücher.example/",
        "https://example。com/",
        "gopher://example.com/",
        "http://example.com/",
        "http://8.8.8.8/",
    ],
)
def test_odd_url_is_refused_as_bad_input(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_url(url, NOTHING)
    assert caught.value.field == "url"
    assert not is_opened_literal(url, NOTHING)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTPS://EXAMPLE.com:8443/x?y=1&z=[2]#end",
        "https://xn--bcher-kva.example/",
        "https://a_b.example/",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]:8443/",
        "https://intranet/hook",
    ],
)
def test_ordinary_url_passes(url: str) -> None:
    check_url(url, NOTHING)


def test_plain_http_is_for_opened_literals_and_local_names_alone() -> None:
    for url in ("http://127.0.0.1:9/x", "http://localhost:9/x", "http://a.localhost/"):
        check_url(url, LOOPBACK)
    check_url("http://10.1.2.3/", parse_networks("10.0.0.0/8"))
    for url in (
        "http://example.com/",
        "http://localtest.me/",
        "http://8.8.8.8/",
        "http://10.0.0.1/",
    ):
        with pytest.raises(AddressRefused):
            check_url(url, LOOPBACK)
    with pytest.raises(AddressRefused):
        check_url("http://localhost/", parse_networks("10.0.0.0/8"))


def test_only_literals_count_as_opened() -> None:
    assert is_opened_literal("http://127.0.0.1:9/x", LOOPBACK)
    assert is_opened_literal("https://[::ffff:127.0.0.1]/x", LOOPBACK)
    for url in ("http://localhost/", "https://8.8.8.8/", "http://u@127.0.0.1/", "http://[::1"):
        assert not is_opened_literal(url, LOOPBACK)
