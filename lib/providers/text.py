"""Vendors' strings made fit for rows, keys and sentences; knows no vendor."""

import re
from collections.abc import Mapping
from typing import Any

from lib.providers.digests import digest

# PostgreSQL refuses NUL, and UTF-8 has no lone surrogates; both can stand in JSON.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_PLAIN_KEY = re.compile(r"[!-~]{1,100}")


def clean_text(value: Any, limit: int = 100) -> str | None:
    """Return a string without control characters, cut at `limit`; None for anything else."""
    if not isinstance(value, str):
        return None
    # Nearly every value is as it should be, and then no pattern needs to look at it.
    if len(value) <= limit and value.isprintable():
        return value.strip() or None
    return _UNSTORABLE.sub(" ", value[: limit * 4]).strip()[:limit] or None


def text_at(payload: Any, *names: str) -> str:
    """Return the first of the named fields that holds text or a number, else ""."""
    if not isinstance(payload, Mapping):
        return ""
    for name in names:
        value = payload.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
            value = str(value)
        if text := clean_text(value, 200):
            return text
    return ""


def stable_key(value: Any) -> str | None:
    """Return a vendor's event id as a key; one that is long or odd is replaced by its digest.

    Cutting would make two ids one.
    """
    if not isinstance(value, str) or not value.strip():
        return None
    if _PLAIN_KEY.fullmatch(value):
        return value
    return digest(value.encode("utf-8", "surrogatepass"))
