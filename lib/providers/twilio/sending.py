"""A request as Twilio sends it, for the simulator and the calculator."""

import hashlib

from lib.errors import InvalidInput
from lib.providers.fields import Values
from lib.providers.payloads import read_form
from lib.providers.sending import FORM_TYPE, Signed, Unsigned
from lib.providers.twilio.signature import Algorithm, sign, signed_text

AGENT = "TwilioProxy/1.1"


def sign_request(unsigned: Unsigned, values: Values) -> Signed:
    """Sign a form over its fields, and any other body by bodySHA256 in the address.

    An account that is set to a SharedKey signs with it, as Twilio then does.
    """
    is_form = unsigned.content_type == FORM_TYPE
    url = unsigned.url if is_form or not unsigned.body else _with_hash(unsigned)
    pairs = read_form(unsigned.body) if is_form else []
    headers = {
        "Content-Type": f"{unsigned.content_type}; charset=UTF-8",
        "User-Agent": AGENT,
    }
    key_id, shared = values.get("shared_key_id"), values.get("shared_key_secret")
    secret = shared if key_id and shared else values.get("auth_token")
    if not secret:
        raise InvalidInput(
            "There is no Auth Token to sign with. Enter the account's primary one.",
            field="auth_token",
        )
    if key_id and shared:
        stated = f"key={key_id},algorithm=HMAC_SHA256"
        headers["X-Twilio-Webhooks-Signature-Settings"] = stated
    algorithm: Algorithm = "sha256" if key_id and shared else "sha1"
    headers["X-Twilio-Signature"] = sign(url, pairs, secret=secret, algorithm=algorithm)
    return Signed(url, unsigned.body, headers, signed_text(url, pairs))


def _with_hash(unsigned: Unsigned) -> str:
    joint = "&" if "?" in unsigned.url else "?"
    return f"{unsigned.url}{joint}bodySHA256={hashlib.sha256(unsigned.body).hexdigest()}"
