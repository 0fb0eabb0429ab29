"""Keys made from content, in the form in which the unique index keeps them."""

import base64
import hashlib

from lib.clock import now_nanoseconds


def digest(content: bytes) -> str:
    """Return 144 bits of the SHA-256 of `content` in 24 characters.

    A key is stored twice, in its row and in the unique index, where it decides how many
    pages a commit writes.
    """
    return base64.b64encode(hashlib.sha256(content).digest()[:18]).decode()


def digest_within_minute(content: bytes) -> str:
    """Return 112 bits of the SHA-256 of `content` behind the UTC minute, in 24 characters.

    Keys of one minute lie side by side in the index, so that a commit on a large table
    touches few of its pages.
    """
    minute = now_nanoseconds() // 60_000_000_000
    return base64.b64encode(minute.to_bytes(4) + hashlib.sha256(content).digest()[:14]).decode()
