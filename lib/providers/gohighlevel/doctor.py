"""Why a HighLevel request was refused: the key, the bytes, the customer, or the shared secret."""

from lib.errors import MalformedRequest, SignatureError
from lib.providers import header_secret
from lib.providers.base import InboundRequest
from lib.providers.diagnosis import (
    Check,
    Circumstances,
    Diagnosis,
    Finding,
    Hypothesis,
    Remedy,
    examine,
    mended,
    original_bodies,
    told,
)
from lib.providers.fields import Values
from lib.providers.gohighlevel.signature import (
    is_ed25519,
    stated_company,
    stated_location,
    stated_signature,
    verify_request,
)
from lib.providers.header_secret_doctor import diagnose_secret
from lib.settings import GOHIGHLEVEL_ED25519_KEY

_SECRET = "shared_secret"  # noqa: S105 - the name of a field
_KEY_REPLACED = Finding(
    "key_replaced",
    "HighLevel signed it, but HUB_GOHIGHLEVEL_ED25519_KEY is set to another key. An operator "
    "removes that setting and restarts the receiver.",
)
_BODY_RESERIALISED = Finding(
    "body_reserialised",
    "Your proxy writes the JSON anew: the same values with other white space or escapes. Let it "
    "pass the body on as it is.",
)
_SIGNATURE_AND_SECRET = Finding(
    "signature_and_secret",
    "The request carries X-Hub-Secret and a header X-GHL-Signature that is not HighLevel's. "
    "Remove X-GHL-Signature from the step that sends.",
)
_NOT_THE_VENDOR = Finding(
    "not_the_vendor",
    "HighLevel's key did not sign these bytes: the body was changed on the way, or somebody else "
    "sent it. Let the proxy pass the body on as it is.",
)


def diagnose_request(request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
    """Look at X-GHL-Signature where there is one, else at the shared secret."""
    signature = stated_signature(request)
    if signature is not None:
        return _diagnose_signed(request, signature, values=values, case=case)
    if case.reason == "legacy_signature":
        return told(
            "legacy_signature",
            "The request carries only X-WH-Signature, which HighLevel ended on 2026-09-01. Let the "
            "proxy pass X-GHL-Signature on; if HighLevel sent none, save the app's webhook anew.",
        )
    if case.reason == "missing_signature" and _looks_like_an_app_event(request):
        return told(
            "signature_stripped",
            "It looks like an app event of HighLevel, but X-GHL-Signature is gone. Let the proxy "
            "pass that header on.",
        )
    return diagnose_secret(request, values, case, field=_SECRET)


def _diagnose_signed(
    request: InboundRequest, signature: str, *, values: Values, case: Circumstances
) -> Diagnosis:
    pem = case.settings.gohighlevel_ed25519_key
    if is_ed25519(request.body, signature, pem=pem):
        return _diagnose_customer(request, values, case)
    hypotheses = (
        Hypothesis(
            "HighLevel's published key",
            lambda: is_ed25519(request.body, signature, pem=GOHIGHLEVEL_ED25519_KEY),
            _KEY_REPLACED,
        ),
        Hypothesis(
            "the body with other white space and escapes",
            lambda: any(
                is_ed25519(body, signature, pem=pem) for body in original_bodies(request.body)
            ),
            _BODY_RESERIALISED,
        ),
        Hypothesis(
            "the shared secret beside the signature",
            lambda: bool(header_secret.stated_secret(request.headers)),
            _SIGNATURE_AND_SECRET,
        ),
    )
    return examine(hypotheses, otherwise=_NOT_THE_VENDOR)


def _diagnose_customer(request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
    """Return whose event it is, of one that HighLevel has signed."""
    try:
        verify_request(request, values, settings=case.settings)
    except SignatureError as error:
        reason = error.reason
    else:
        return Diagnosis((mended("location or the key"),), (Check("as it is set now", True),))
    body = _body(request)
    stated = {"wrong_location": stated_location(body), "wrong_company": stated_company(body)}
    other = str(stated.get(reason, "") or "")[:60]
    noun = reason.removeprefix("wrong_")
    field = f"{noun}_id"
    owner = next((each for each in case.neighbours if each.values.get(field) == other), None)
    checks = (Check("HighLevel's signature", True), Check(f"the {noun} of this integration", False))
    if owner:
        message = (
            f"The event belongs to the integration {owner.name}. Paste that integration's address "
            "for its events."
        )
        remedy = Remedy("use_address", integration_id=owner.id)
        return Diagnosis((Finding(reason, message, remedy),), checks)
    which = f" {other}" if other else ""
    message = (
        f"HighLevel signed it, but for another {noun}{which}. If that is yours, connect it as an "
        f"integration of its own, or mend the {noun} id of this one."
    )
    return Diagnosis((Finding(reason, message, Remedy("enter_value", field)),), checks)


def _looks_like_an_app_event(request: InboundRequest) -> bool:
    body = _body(request)
    return "webhookId" in body and ("locationId" in body or "companyId" in body)


def _body(request: InboundRequest) -> dict[str, object]:
    try:
        body = request.json
    except MalformedRequest:
        return {}
    return body if isinstance(body, dict) else {}
