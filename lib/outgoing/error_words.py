"""The hub's own classes of failed deliveries in plain words."""

from lib.providers.explanations import Explanation, Who
from lib.providers.targets import ErrorClass

OWN_LABEL = "Deliveries"
_LINK = "https://www.standardwebhooks.com/"
_WORDS: dict[ErrorClass, tuple[str, Who, str, str]] = {
    "dns": (
        "Name not found",
        "you",
        "The host name of the destination did not resolve.",
        "Check the address, and the name servers of this machine.",
    ),
    "connect": (
        "No connection",
        "you",
        "The other side refused the connection, broke it off, or did not answer within 10 seconds.",
        "See whether it runs, and whether its firewall lets the hub in.",
    ),
    "tls": (
        "TLS failed",
        "you",
        "The other side has no certificate that can be trusted for its name.",
        "Renew its certificate, with the name and the whole chain.",
    ),
    "timeout": (
        "Timed out",
        "you",
        "No whole answer came within 30 seconds; the other side may have acted all the same.",
        "Let it answer first and work afterwards.",
    ),
    "http_3xx": (
        "Redirected",
        "you",
        "The address redirects, and a redirect is never followed.",
        "Enter the final address.",
    ),
    "http_4xx": (
        "Refused",
        "you",
        "The other side refused this request, and would refuse it again.",
        "Read its answer under Attempts, mend the mapping or the address, then replay.",
    ),
    "http_408": (
        "Timed out there",
        "nobody",
        "The other side waited too long for something of its own.",
        "Wait; the hub tries again by itself.",
    ),
    "http_425": (
        "Too early",
        "nobody",
        "The other side asks to be called again later.",
        "Wait; the hub tries again by itself.",
    ),
    "http_429": (
        "Too many requests",
        "nobody",
        "The other side takes no more requests just now.",
        "Wait, or set a lower rate limit at the destination.",
    ),
    "http_5xx": (
        "Failed there",
        "provider",
        "The other side failed while it worked on the request.",
        "The hub tries again by itself; once it is mended there, replay what died.",
    ),
    "gone": (
        "Given up",
        "you",
        "The other side answered 410: this address is not used any more.",
        "Enter the new address and enable the destination.",
    ),
    "invalid_target": (
        "Address not allowed",
        "you",
        "The address leads into a private network, or is no address that may be called.",
        "Use a public address, or have staff allow the network.",
    ),
    "config": (
        "Cannot be sent as configured",
        "you",
        "The message could not be made: its mapping, its size or a missing value stands against "
        "it.",
        "Mend the route's mapping or the destination's values, then replay.",
    ),
}
OWN_CODES: dict[str, Explanation] = {
    name: Explanation(name, title, cause, who, step, _LINK)
    for name, (title, who, cause, step) in _WORDS.items()
}
