"""Why a request to a Twilio integration was refused: the secret, the address, the body, or two."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from lib.errors import MalformedRequest, SignatureError
from lib.providers.base import FORM, InboundRequest
from lib.providers.diagnosis import (
    Check,
    Circumstances,
    Diagnosis,
    Finding,
    Remedy,
    mended,
    original_bodies,
    told,
)
from lib.providers.fields import Values
from lib.providers.twilio.address_guesses import AddressGuess, guess_addresses
from lib.providers.twilio.body_guesses import BodyGuess, Pairs, guess_forms
from lib.providers.twilio.secret_guesses import SecretGuess, guess_secrets
from lib.providers.twilio.signature import (
    sign,
    signed_pairs,
    signed_text,
    stated_hash,
    url_variants,
    verify_request,
)

_SIGNATURE = "x-twilio-signature"
_SETTINGS = "x-twilio-webhooks-signature-settings"
# Of pairs with a body only the likeliest are tried: each costs a digest.
_PAIRED_ADDRESSES = 40
_PAIRED_BODIES = 30


@dataclass(frozen=True, repr=False)
class _Lab:
    """A refused request with everything that may be tried on it."""

    request: InboundRequest
    values: Values
    case: Circumstances

    @cached_property
    def own(self) -> list[SecretGuess]:
        return [secret for secret in self.secrets if secret.finding is None]

    @cached_property
    def others(self) -> list[SecretGuess]:
        return [secret for secret in self.secrets if secret.finding is not None]

    @cached_property
    def secrets(self) -> list[SecretGuess]:
        return list(guess_secrets(self.values, self.case))

    @cached_property
    def addresses(self) -> list[AddressGuess]:
        return [*guess_addresses(self.request, self.case), *_with_hash(self.request)]

    @cached_property
    def bodies(self) -> list[BodyGuess]:
        return list(guess_forms(self.request)) if self.request.method == "POST" else []

    @cached_property
    def received(self) -> Pairs:
        is_form = self.request.method == "POST" and self.request.content_type == FORM
        return self.request.form if is_form else []

    def fits(self, secret: SecretGuess, url: str, pairs: Pairs) -> bool:
        given = self.request.headers.get(_SIGNATURE, "").strip().encode()
        fields = signed_text("", pairs)
        return any(
            hmac.compare_digest(
                sign(variant + fields, [], secret=secret.text, algorithm=secret.algorithm).encode(),
                given,
            )
            for variant in self._variants(url)
        )

    @cached_property
    def _variants(self) -> Callable[[str], tuple[str, ...]]:
        """Return the forms of an address, each once; the same few are tried with everything."""
        return cache(lambda url: tuple(dict.fromkeys(form for _, form in url_variants(url))))


def diagnose_request(request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
    """Try everything that can be known alone, then in pairs; the first that fits is the cause."""
    if not request.headers.get(_SIGNATURE, "").strip():
        return _without_signature(request)
    if case.is_old_address:
        return told(
            "old_address",
            "The request came to the address before the last rotation. Its token is not kept, so "
            "the signature cannot be worked out. Paste the present address at Twilio.",
        )
    lab = _Lab(request, values, case)
    for secret in lab.own:
        if lab.fits(secret, request.url, lab.received):
            return _beyond_the_signature(lab)
    checks: list[Check] = []
    for attempts in (_alone(lab), _pairs(lab)):
        for tried, findings, matched in attempts:
            checks.append(Check(tried, matched))
            if matched:
                return Diagnosis(findings, tuple(checks))
    return Diagnosis((_unexplained(lab),), tuple(checks))


Attempt = tuple[str, tuple[Finding, ...], bool]


def _alone(lab: _Lab) -> Iterator[Attempt]:
    url, received = lab.request.url, lab.received
    for secret in lab.others:
        findings = (secret.finding,) if secret.finding else ()
        yield secret.tried, findings, lab.fits(secret, url, received)
    for guess in lab.addresses:
        matched = any(lab.fits(secret, guess.url, received) for secret in lab.own)
        yield guess.tried, (guess.finding,), matched
    for body in lab.bodies:
        matched = any(
            lab.fits(secret, url, pairs) for secret in lab.own for pairs in body.originals
        )
        yield body.tried, (body.finding,), matched


def _pairs(lab: _Lab) -> Iterator[Attempt]:
    """Try two deviations at once; a row of the table stands for all pairs of a kind."""
    received, url = lab.received, lab.request.url
    tried = "another secret and another address"
    found = next(
        (
            (secret.finding, guess.finding)
            for secret in lab.others
            for guess in lab.addresses
            if secret.finding and lab.fits(secret, guess.url, received)
        ),
        (),
    )
    yield tried, found, bool(found)
    found = next(
        (
            (guess.finding, body.finding)
            for secret in lab.own
            for guess in lab.addresses[:_PAIRED_ADDRESSES]
            for body in lab.bodies
            for pairs in body.originals[:_PAIRED_BODIES]
            if lab.fits(secret, guess.url, pairs)
        ),
        (),
    )
    yield "another address and another body", found, bool(found)
    found = next(
        (
            (secret.finding, body.finding)
            for secret in lab.others
            for body in lab.bodies
            for pairs in body.originals[:_PAIRED_BODIES]
            if secret.finding and lab.fits(secret, url, pairs)
        ),
        (),
    )
    yield "another secret and another body", found, bool(found)


def _with_hash(request: InboundRequest) -> Iterator[AddressGuess]:
    """Yield the address with the bodySHA256 that a proxy dropped."""
    if not request.body or stated_hash(request) is not None or request.content_type == FORM:
        return
    joint = "&" if "?" in request.url else "?"
    url = f"{request.url}{joint}bodySHA256={hashlib.sha256(request.body).hexdigest()}"
    message = (
        "The query was dropped on the way, and with it the bodySHA256 by which Twilio signs this "
        "body. Let the proxy pass the query on."
    )
    yield AddressGuess(url, "the query put back", Finding("query_dropped", message))


def _without_signature(request: InboundRequest) -> Diagnosis:
    agent = request.headers.get("user-agent", "")
    if "twilio" in agent.lower() or "i-twilio-idempotency-token" in request.headers:
        return told(
            "signature_stripped",
            "It looks like Twilio's, but the header X-Twilio-Signature is gone. Let the proxy "
            "pass that header on.",
        )
    return told(
        "not_the_vendor",
        "Nothing in it looks like Twilio: somebody else called this address. If the address is "
        "known too widely, rotate it.",
    )


def _beyond_the_signature(lab: _Lab) -> Diagnosis:
    """Return what is wrong although the signature fits: the body's hash, or the account."""
    request, own = lab.request, lab.values["account_sid"]
    stated = stated_hash(request)
    if stated is not None and not lab.received:
        made = hashlib.sha256(request.body).hexdigest()
        if not hmac.compare_digest(made, stated.lower()):
            return _changed_body(request.body, stated.lower())
    try:
        accounts = [text for name, text in signed_pairs(request) if name == "AccountSid"]
    except MalformedRequest:
        accounts = []
    other = next((account for account in accounts if account != own), None)
    if other is None:
        return _confirm(lab)
    neighbours = lab.case.neighbours
    owner = next((each for each in neighbours if each.values.get("account_sid") == other), None)
    where = (
        f"Paste the address of the integration {owner.name} there."
        if owner
        else "Connect that account as an integration of its own."
    )
    message = f"The signature fits, but the event belongs to the Twilio account {other}. {where}"
    remedy = Remedy("use_address", integration_id=owner.id) if owner else Remedy("mend_sender")
    checks = (Check("the signature", True), Check("the account", False))
    return Diagnosis((Finding("wrong_account", message, remedy),), checks)


def _confirm(lab: _Lab) -> Diagnosis:
    """Return that the request passes now, unless its header names another SharedKey."""
    try:
        verify_request(lab.request, lab.values)
    except SignatureError:
        stated = lab.request.headers.get(_SETTINGS, "no key at all")[:100]
        message = (
            f"The SharedKey's secret fits, but the request names {stated}. Enter that key's id "
            "here, and let Twilio sign with HMAC_SHA256."
        )
        checks = (Check("the signature", True), Check("the key's id and algorithm", False))
        return Diagnosis((Finding("shared_key_id", message),), checks)
    return Diagnosis((mended("secret or the public URL"),), (Check("as it is set now", True),))


def _changed_body(body: bytes, stated: str) -> Diagnosis:
    is_known = any(
        hashlib.sha256(candidate).hexdigest() == stated for candidate in original_bodies(body)
    )
    checks = (
        Check("the signature of the address", True),
        Check("the body's hash", False),
        Check("the body with other white space and escapes", is_known),
    )
    if is_known:
        message = (
            "Your proxy writes the JSON anew: the same values with other white space or escapes. "
            "Let it pass the body on as it is."
        )
        return Diagnosis((Finding("body_reserialised", message),), checks)
    message = "The body was changed on the way. Let the proxy pass it on as it is."
    return Diagnosis((Finding("body_changed", message),), checks)


def _unexplained(lab: _Lab) -> Finding:
    if lab.request.headers.get(_SETTINGS) and not lab.values.get("shared_key_secret"):
        return Finding(
            "shared_key_unknown",
            "The request is signed with a SharedKey that the hub does not hold. Enter the key's id "
            "and secret, or switch it off at Twilio.",
            Remedy("enter_value", "shared_key_secret"),
        )
    return Finding(
        "unknown_token",
        "No secret that the hub knows made this signature, at no address that it could guess. "
        "Copy the primary Auth Token from the Twilio Console again and enter it here.",
        Remedy("enter_value", "auth_token"),
    )
