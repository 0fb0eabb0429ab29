"""X-Twilio-Signature: how it is made, and whether a request carries a right one.

https://www.twilio.com/docs/usage/webhooks/webhooks-security. Twilio's own validator refuses
published vectors (IPv6 hosts, re-encoded apostrophes), so the scheme is written out here.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from lib.errors import SignatureError
from lib.providers.base import FORM, InboundRequest, Verification
from lib.providers.fields import Values

Algorithm = Literal["sha1", "sha256"]
Pairs = Iterable[tuple[str, str]]

_APOSTROPHE = "%27"
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_SHARED_KEY_HEADER = "x-twilio-webhooks-signature-settings"
_NEXT_STEP = (
    "Check that the Auth Token is the account's primary one and that HUB_PUBLIC_URL is the "
    "address that Twilio calls."
)


def sign(url: str, pairs: Pairs, *, secret: str, algorithm: Algorithm = "sha1") -> str:
    """Return the signature of a call to `url` with the decoded form fields `pairs`.

    Distinct (name, value) pairs count, in code point order, blank values too.
    """
    return _digest(secret.encode(), signed_text(url, pairs), algorithm=algorithm).decode()


def signed_text(url: str, pairs: Pairs) -> str:
    """Return what the signature of a call to `url` covers."""
    return url + _join(pairs)


def verify_request(request: InboundRequest, values: Values) -> Verification:
    """Prove `request` with the account's secrets; raise SignatureError if none of them fits."""
    given = request.headers.get("x-twilio-signature", "").strip()
    if not given:
        raise SignatureError(
            "The request has no X-Twilio-Signature. Only Twilio can call this address; a proxy "
            "in front of the hub must pass the header on.",
            reason="missing_signature",
        )
    carries_form = request.method == "POST" and request.content_type == FORM
    must_match_hash = bool(request.body) and not carries_form
    suffix = _join(request.form) if carries_form else ""
    body_hash = stated_hash(request)
    if body_hash is None and (must_match_hash or request.content_type.endswith("json")):
        raise SignatureError(
            "The body is not a form and the address has no bodySHA256, so nothing signs it. "
            "Let Twilio send a form, or check that a proxy keeps the query.",
            reason="body_hash_missing",
        )
    key, variant = _match(request, values, suffix=suffix, given=given)
    if body_hash is not None and not carries_form:
        _check_hash(request.body, body_hash)
    _check_account(request, values, carries_form=carries_form)
    scheme = "Twilio HMAC-SHA256" if key == "shared_key" else "Twilio HMAC-SHA1"
    return Verification(scheme, key, {"address": variant})


def signed_pairs(request: InboundRequest) -> list[tuple[str, str]]:
    """Return the decoded parameters of a form, or of the query where there is no form."""
    if request.method == "POST" and request.content_type == FORM:
        return request.form
    pairs = parse_qsl(request.query, keep_blank_values=True)
    return [pair for pair in pairs if pair[0] != "bodySHA256"]


def signed_content(request: InboundRequest, *, without: Collection[str]) -> bytes:
    """Return what is signed of `request`, less the parameters named in `without`.

    Of an address that can be signed in two spellings it is always the same one.
    """
    url = request.url.replace("'", _APOSTROPHE)
    form: list[tuple[str, str]] = []
    if request.method == "POST" and request.content_type == FORM:
        form = [pair for pair in request.form if pair[0] not in without]
    elif without:
        head, _, query = url.partition("?")
        kept = [part for part in query.split("&") if part.partition("=")[0] not in without]
        url = f"{head}?{'&'.join(kept)}"
    return signed_text(url, form).encode("utf-8", "surrogateescape")


def url_variants(url: str) -> Iterator[tuple[str, str]]:
    """Yield (name, address) for each form of `url` that Twilio may have signed, likeliest first.

    Voice over HTTPS drops the port, other products keep or add it; userinfo is dropped by the
    documentation and kept by the libraries' tests; Node's library re-encodes apostrophes.
    """
    yield "as configured", url
    parts = urlsplit(url)
    head = f"{parts.scheme}://"
    tail = url[len(head) + len(parts.netloc) :]
    tails = [("", tail)]
    if "'" in tail:
        tails.append((", apostrophe re-encoded", tail.replace("'", _APOSTROPHE)))
    for tail_name, tail_text in tails:
        for name, netloc in _hosts(parts.scheme, parts.netloc):
            yield name + tail_name, head + netloc + tail_text


def _hosts(scheme: str, netloc: str) -> Iterator[tuple[str, str]]:
    userinfo, at, host = netloc.rpartition("@")
    bare, colon, port = host.rpartition(":")
    if not colon or not port.isdigit():
        bare, port = host, ""
    prefixes = [("", userinfo + at), (", user name removed", "")] if at else [("", "")]
    for note, prefix in prefixes:
        yield f"as configured{note}", prefix + host
        if port:
            yield f"port removed{note}", prefix + bare
        else:
            yield f"default port added{note}", f"{prefix}{bare}:{_DEFAULT_PORTS.get(scheme, '443')}"


def _join(pairs: Pairs) -> str:
    return "".join([name + value for name, value in sorted(set(pairs))])


def _match(request: InboundRequest, values: Values, *, suffix: str, given: str) -> tuple[str, str]:
    """Return the names of the key and of the address variant that made `given`."""
    candidates, algorithm = _secrets(request, values)
    expected = given.encode()
    for key, secret in candidates:
        secret_bytes = secret.encode()
        for variant, url in url_variants(request.url):
            made = _digest(secret_bytes, url + suffix, algorithm=algorithm)
            if hmac.compare_digest(made, expected):
                return key, variant
    raise SignatureError(
        f"The signature does not fit this request. {_NEXT_STEP}",
        reason="bad_signature",
        facts={"keys tried": ", ".join(key for key, _ in candidates)},
    )


def _secrets(request: InboundRequest, values: Values) -> tuple[list[tuple[str, str]], Algorithm]:
    """Return the secrets that may have signed, with their algorithm.

    The header is unsigned, so it never picks a weaker scheme: an account that is set to a
    SharedKey accepts nothing else. https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
    """
    stated = _read_settings(request.headers.get(_SHARED_KEY_HEADER, ""))
    shared_id, shared_secret = values.get("shared_key_id"), values.get("shared_key_secret")
    if shared_id and shared_secret:
        if stated.get("key") != shared_id or stated.get("algorithm") != "HMAC_SHA256":
            raise SignatureError(
                "This integration accepts only its SharedKey with HMAC_SHA256. Check the key's "
                "id, or remove the SharedKey to accept the Auth Token again.",
                reason="wrong_key",
            )
        return [("shared_key", shared_secret)], "sha256"
    if stated:
        raise SignatureError(
            "The request is signed with a SharedKey that this integration does not hold. Enter "
            "its id and secret.",
            reason="wrong_key",
        )
    names = ("auth_token", "previous_auth_token")
    return [(name, values[name]) for name in names if values.get(name)], "sha1"


def _read_settings(header: str) -> dict[str, str]:
    parts = (part.partition("=") for part in header.split(","))
    return {name.strip(): value.strip() for name, equals, value in parts if equals}


def stated_hash(request: InboundRequest) -> str | None:
    """Return the bodySHA256 of the query, or None."""
    if "bodySHA256" not in request.query:
        return None
    pairs = parse_qsl(request.query, keep_blank_values=True)
    return next((value for name, value in pairs if name == "bodySHA256"), None)


def _check_hash(body: bytes, stated: str) -> None:
    made = hashlib.sha256(body).hexdigest().encode()
    if not hmac.compare_digest(made, stated.lower().encode()):
        raise SignatureError(
            "The body is not the one that Twilio signed. Check that no proxy rewrites bodies.",
            reason="body_hash_mismatch",
        )


def _check_account(request: InboundRequest, values: Values, *, carries_form: bool) -> None:
    """Refuse another account's event; sub-accounts sign with tokens of their own.

    Where a name ends and its value begins is not signed: an account that is in the text and
    not among the names was moved out of sight.
    """
    if not carries_form and request.method != "GET":
        return
    accounts = {value for name, value in signed_pairs(request) if name == "AccountSid"}
    if accounts - {values["account_sid"]}:
        raise SignatureError(
            "The event belongs to another Twilio account. Connect that account, or point "
            "its numbers to its own address.",
            reason="wrong_account",
        )
    if not accounts and b"AccountSid" in signed_content(request, without=()):
        raise SignatureError(
            "The names and values of the form are not cut where Twilio cuts them. Check that "
            "no proxy rewrites bodies.",
            reason="account_hidden",
        )


def _digest(secret: bytes, message: str, *, algorithm: Algorithm) -> bytes:
    made = hmac.digest(secret, message.encode("utf-8", "surrogateescape"), algorithm)
    return base64.b64encode(made)
