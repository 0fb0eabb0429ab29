"""Proving that an answer came from this very hub: a keyed digest of a number used once.

The key is derived from the sealed canary, which only the hub's own database holds.
"""

import hashlib
import hmac
import re

from lib.database import Database
from lib.models import HubFact
from lib.vault import keys

_NONCE = re.compile(r"[0-9a-f]{32}")
_PURPOSE = b"members hub: proof of itself"


def is_nonce(text: str) -> bool:
    """Tell whether `text` is 32 hex digits, which alone are answered."""
    return _NONCE.fullmatch(text) is not None


def prove(database: Database, nonce: str) -> str:
    """Return the proof for a nonce; raises DBAPIError while the database is away."""
    with database.read() as session:
        canary = session.get_one(HubFact, keys.CANARY).value
    key = hmac.digest(canary.encode(), _PURPOSE, hashlib.sha256)
    return hmac.new(key, nonce.encode(), hashlib.sha256).hexdigest()
