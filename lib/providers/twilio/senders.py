"""From whom something goes out, and where Twilio reports what becomes of it."""

import ipaddress
from urllib.parse import urlsplit

from lib.errors import InvalidInput
from lib.providers.actions import ActionCall


def own_sender(given: str | None, call: ActionCall) -> str:
    """Return the sender that was given, or the integration's; raise InvalidInput for neither."""
    sender = given or call.values.get("from_number")
    if sender:
        return sender
    raise InvalidInput(
        "The sender is missing. Enter it here, or as Sender in the integration's settings.",
        field="from_number",
    )


def report_address(given: str | None, call: ActionCall) -> str | None:
    """Return where Twilio reports to: the address given, or the integration's own.

    Twilio refuses the whole request for an address on this machine or with an underscore in
    its host, so such an address is left out: nothing could be reported to it anyway.
    """
    if given:
        return given
    host = urlsplit(call.webhook_url).hostname or ""
    return None if "_" in host or host == "localhost" or _is_loopback(host) else call.webhook_url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
