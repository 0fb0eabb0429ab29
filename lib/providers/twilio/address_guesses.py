"""Addresses that Twilio may have called in place of the one that HUB_PUBLIC_URL makes.

They come from what a proxy says and from common mistakes. None is believed: each is only tried
against the signature, with the account's own secrets.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote, unquote, urlsplit

from lib.providers.base import InboundRequest
from lib.providers.diagnosis import Circumstances, Finding, Remedy

_MARK = "/api/webhooks/"
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(?::[0-9]{1,5})?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]{1,100}){0,8}")
_PORTS = ("8443", "8080", "8000", "8501", "444", "4443")
_FULL_PATH_HEADERS = (
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-envoy-original-path",
)


@dataclass(frozen=True, repr=False)
class AddressGuess:
    """An address, what about it differs in words for the check table, and what that means."""

    url: str
    tried: str
    finding: Finding


def guess_addresses(request: InboundRequest, case: Circumstances) -> Iterator[AddressGuess]:
    """Yield the guesses, likeliest first; the address as configured is not among them."""
    seen = {request.url}
    for guess in (*_other_bases(request, case), *_other_paths(request, case)):
        if guess.url not in seen:
            seen.add(guess.url)
            yield guess


def _other_bases(request: InboundRequest, case: Circumstances) -> Iterator[AddressGuess]:
    public = urlsplit(case.settings.public_url)
    prefix, _, tail = request.url.partition(_MARK)
    own_prefix = urlsplit(prefix).path
    # Few differences before many, and a forwarded host before a guessed one.
    guesses = sorted(
        product(
            _schemes(public.scheme), _hosts(public.netloc, request), _prefixes(own_prefix, request)
        ),
        key=lambda parts: (
            (parts[0] != public.scheme) + (parts[1] != public.netloc) + (parts[2] != own_prefix)
        ),
    )
    for scheme, netloc, path in guesses:
        base = f"{scheme}://{netloc}{path}"
        differs = [
            *(["scheme"] if scheme != public.scheme else []),
            *_host_differences(netloc, public.netloc),
            *(["path_prefix"] if path != own_prefix else []),
        ]
        if not differs:
            continue
        words = " and ".join(difference.replace("_", " ") for difference in differs)
        finding = Finding(
            "+".join(differs),
            f"Twilio calls {base}, and HUB_PUBLIC_URL is {case.settings.public_url}: the {words} "
            f"differs. An operator sets HUB_PUBLIC_URL={base} and restarts the receiver; or paste "
            "the address shown with the integration at Twilio.",
            Remedy("set_public_url", text=base),
        )
        yield AddressGuess(base + _MARK + tail, f"{words}: {base}", finding)


def _host_differences(netloc: str, configured: str) -> list[str]:
    if netloc == configured:
        return []
    same_host = netloc.partition(":")[0].lower() == configured.partition(":")[0].lower()
    return ["port"] if same_host else ["host"]


def _schemes(configured: str) -> tuple[str, ...]:
    return (configured, "http" if configured == "https" else "https")


def _hosts(configured: str, request: InboundRequest) -> list[str]:
    headers = request.headers
    forwarded = _forwarded(headers)
    stated = [
        headers.get(name, "").split(",")[0].strip()
        for name in ("x-forwarded-host", "x-original-host", "host")
    ]
    found = [configured, *(item for item in (forwarded, *stated) if _HOST.fullmatch(item))]
    bare = configured.partition(":")[0]
    found.append(bare.removeprefix("www.") if bare.startswith("www.") else f"www.{bare}")
    ports = [headers.get("x-forwarded-port", "").split(",")[0].strip(), *_PORTS]
    named = [host.partition(":")[0] for host in found[:4]]
    found += [f"{host}:{port}" for host in named for port in ports if port.isdecimal()]
    return list(dict.fromkeys(found))


def _forwarded(headers: Mapping[str, str]) -> str:
    """Return the host of the first hop of Forwarded (RFC 7239)."""
    for part in headers.get("forwarded", "").split(",")[0].split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "host":
            return value.strip().strip('"')
    return ""


def _prefixes(configured: str, request: InboundRequest) -> list[str]:
    headers = request.headers
    found = [configured, ""]
    for name in ("x-forwarded-prefix", "x-script-name"):
        if text := headers.get(name, "").split(",")[0].strip().strip("/"):
            found.append(f"/{text}")
    for name in _FULL_PATH_HEADERS:
        before, mark, _ = headers.get(name, "").partition(_MARK)
        if mark:
            found.append(re.sub(r"^https?://[^/]*", "", before))
    return list(
        dict.fromkeys(path for path in found if path == configured or _PATH.fullmatch(path))
    )


def _other_paths(request: InboundRequest, case: Circumstances) -> Iterator[AddressGuess]:
    bare, mark, query = request.url.partition("?")
    yield _same_hub(bare + "/" + mark + query, "trailing_slash", "a slash at the end")
    doubled = bare.replace(_MARK, f"/{_MARK}")
    yield _same_hub(doubled + mark + query, "double_slash", "two slashes before api")
    for name, text in _other_queries(query):
        yield AddressGuess(
            f"{bare}?{text}" if text else bare,
            f"query {name}",
            Finding(
                "query_changed",
                f"The query reached the hub changed: Twilio signed it {name}. Let the proxy pass "
                "the query on as it is.",
            ),
        )
    for neighbour in case.neighbours:
        finding = Finding(
            "neighbour_address",
            f"Twilio calls the address of the integration {neighbour.name}, and the request was "
            "led to this one. Mend the rewriting rule in the proxy.",
            Remedy("use_address", integration_id=neighbour.id),
        )
        url = neighbour.url + mark + query
        yield AddressGuess(url, f"address of {neighbour.name}", finding)
    shared = bare.rpartition("/")[0]
    if not shared.endswith("/webhooks"):
        yield _same_hub(shared + mark + query, "shared_address", "the address without its token")


def _same_hub(url: str, cause: str, what: str) -> AddressGuess:
    message = (
        f"Twilio signed {what}, which the address at the hub does not have. Copy the address from "
        "the integration into Twilio again, and let no proxy rewrite it."
    )
    return AddressGuess(url, what, Finding(cause, message))


def _other_queries(query: str) -> Iterator[tuple[str, str]]:
    if not query:
        return
    yield "not at all", ""
    parts = query.split("&")
    yield "in the order of names", "&".join(sorted(parts))
    yield "in reverse order", "&".join(reversed(parts))
    yield "with %20 for +", query.replace("+", "%20")
    yield "with + for %20", query.replace("%20", "+")
    yield "decoded", unquote(query)
    yield "encoded", quote(query, safe="=&%+")
    yield "encoded twice", quote(query, safe="=&+")
