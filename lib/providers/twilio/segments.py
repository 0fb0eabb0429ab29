"""How many segments a text is sent and paid as. Pure.

GSM 03.38 packs 160 characters into one segment and 153 into each of several; one character
outside of it turns the whole text into UCS-2, with 70 and 67.
https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Sent as an escape and a second character.
_EXTENSION = frozenset("^{}\\[~]|€\f")
_SINGLE = {"GSM-7": 160, "UCS-2": 70}
_EACH = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True)
class Segments:
    """The encoding, how many units the text has in it, and how many segments they fill."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    count: int

    @property
    def room(self) -> int:
        """How many units the segments hold."""
        return _SINGLE[self.encoding] if self.count <= 1 else self.count * _EACH[self.encoding]


def count_segments(text: str) -> Segments:
    """Return how `text` is sent; an empty text fills no segment."""
    is_plain = all(sign in _BASIC or sign in _EXTENSION for sign in text)
    encoding: Literal["GSM-7", "UCS-2"] = "GSM-7" if is_plain else "UCS-2"
    widths = [_width(sign, is_plain=is_plain) for sign in text]
    units = sum(widths)
    if units <= _SINGLE[encoding]:
        return Segments(encoding, units, 1 if text else 0)
    return Segments(encoding, units, _fill(widths, _EACH[encoding]))


def _width(sign: str, *, is_plain: bool) -> int:
    if is_plain:
        return 2 if sign in _EXTENSION else 1
    return 2 if ord(sign) > 0xFFFF else 1


def _fill(widths: Iterable[int], most: int) -> int:
    """Return how many segments are needed; a sign of two units is never cut in two."""
    count, used = 1, 0
    for width in widths:
        if used + width > most:
            count, used = count + 1, 0
        used += width
    return count
