"""Twilio's error codes in plain words: the cause, and who does what about it.

https://www.twilio.com/docs/api/errors
"""

from lib.providers.explanations import Explanation, by_code, find_code
from lib.providers.twilio import delivery_codes, request_codes, webhook_codes

CODES = by_code((*webhook_codes.ENTRIES, *request_codes.ENTRIES, *delivery_codes.ENTRIES))


def explain(code: object) -> Explanation | None:
    """Return what a code means, given as a number or as text; None for an unknown one."""
    return find_code(CODES, code)


def explain_code(code: object) -> str | None:
    """Return cause, next step and link for one of Twilio's codes; None for an unknown one."""
    found = explain(code)
    return found.sentence if found else None


def cause_of(code: object) -> str | None:
    """Return the cause alone; None for an unknown code."""
    found = explain(code)
    return found.cause if found else None
