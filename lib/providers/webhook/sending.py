"""A request signed per Standard Webhooks, for the simulator and the calculator."""

import base64
import secrets

from lib.clock import now
from lib.errors import InvalidInput
from lib.providers.fields import Values
from lib.providers.sending import Signed, Unsigned
from lib.providers.standard_webhooks import SECRET_PREFIX, hmac_signature, signed_content
from lib.providers.webhook.signature import decode_key


def sign_message(unsigned: Unsigned, values: Values) -> Signed:
    """Sign with a whsec_ secret; raise InvalidInput for a sender's public key, or none."""
    secret = values.get("signing_secret", "")
    if not secret.startswith(SECRET_PREFIX):
        raise InvalidInput(
            "Only a whsec_ secret can sign here: a whpk_ key is the sender's public half, and its "
            "private half never leaves the sender.",
            field="signing_secret",
        )
    try:
        key = decode_key(secret)
    except ValueError as error:
        raise InvalidInput(
            "The secret is not right. It is whsec_ followed by base64 of at least 16 bytes.",
            field="signing_secret",
        ) from error
    identity = unsigned.message_id or f"msg_{secrets.token_hex(12)}"
    timestamp = unsigned.timestamp or str(int(now().timestamp()))
    content = signed_content(identity, timestamp, unsigned.body)
    signature = base64.b64encode(hmac_signature(key, content)).decode()
    headers = {
        "Content-Type": unsigned.content_type,
        "User-Agent": "MembersHub-Simulator/1",
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
    return Signed(unsigned.url, unsigned.body, headers, content.decode("utf-8", "replace"))
