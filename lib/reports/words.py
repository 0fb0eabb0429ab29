"""What figures, durations and causes of failure are called in a report."""

from lib.analytics.deliveries import Cause
from lib.reports.monthly import Report

_CAUSES = {
    "dns": "The name of the address could not be found.",
    "connect": "No connection could be made.",
    "tls": "The encrypted connection could not be trusted.",
    "timeout": "No answer came in time.",
    "http_3xx": "The address has moved and named another one.",
    "http_4xx": "The other side refused the request.",
    "http_408": "The other side waited too long for the request.",
    "http_425": "The other side was not ready yet.",
    "http_429": "The other side asked for fewer requests.",
    "http_5xx": "The receiving server failed.",
    "gone": "The address has been given up.",
    "invalid_target": "The address is not allowed.",
    "config": "The delivery could not be sent as it is configured.",
}


def cause_in_words(cause: Cause) -> str:
    """Return a sentence about a cause, with the status where there was one."""
    said = _CAUSES.get(cause.error_class, f"{cause.error_class}.")
    return f"{said[:-1]} ({cause.response_status})." if cause.response_status else said


def month_in_words(report: Report) -> str:
    """Return the month such as "November 2026"."""
    return f"{report.days[0][0]:%B %Y}"


def percent(share: float | None) -> str:
    """Return a share such as "99.2%"; "none" where nothing was sent."""
    return "none" if share is None else f"{share * 100:.1f}%"


def milliseconds(amount: float | None) -> str:
    """Return milliseconds such as "181 ms" or "2.4 s"."""
    if amount is None:
        return "none"
    return f"{amount:,.0f} ms" if amount < 1_000 else f"{amount / 1_000:,.1f} s"
