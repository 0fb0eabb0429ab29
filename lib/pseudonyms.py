"""Names for contacts that tell nobody who they are: the same contact, the same name.

They are keyed digests under a random key that is sealed in the database, so who reads them
cannot try out all phone numbers. No use case leads back from one.
"""

import base64
import hashlib
import hmac
import os

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from lib.access import Actor
from lib.errors import SecretUnreadable
from lib.hub import Hub
from lib.models import HubFact
from lib.providers.contacts import to_e164
from lib.vault.seals import Vault

PREFIX = "c_"
KEY_FACT = "contact_key"
_PLACE = ("hub_facts", KEY_FACT, "value")
_KEY_BYTES = 32
_LETTERS = 10


class Pseudonyms:
    """Names contacts with one hub's key, which `repr` does not show."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, value: str) -> str:
        """Return "c_" and ten letters and digits for a number, an address or an id."""
        digest = hmac.digest(self._key, _normalised(value).encode(), hashlib.sha256)
        return PREFIX + base64.b32encode(digest).decode().lower()[:_LETTERS]


def load_pseudonyms(hub: Hub) -> Pseudonyms:
    """Return the hub's names; the first call of all makes their key.

    Not within a transaction that writes: the key may have to be written in one of its own.
    """
    with hub.database.read() as session:
        fact = session.get(HubFact, KEY_FACT)
    sealed = fact.value if fact else _make_key(hub)
    return Pseudonyms(base64.b64decode(hub.vault.open(sealed, place=_PLACE)))


def names_for(hub: Hub, actor: Actor) -> Pseudonyms | None:
    """Return the hub's names for who sees masked data, None for who sees it as it is."""
    return load_pseudonyms(hub) if actor.sees_masked else None


def is_outdated(session: Session, vault: Vault) -> bool:
    """Say whether the key is sealed with another master key than the one that seals now."""
    fact = session.get(HubFact, KEY_FACT)
    return fact is not None and not vault.is_current(fact.value)


def reseal_key(session: Session, vault: Vault, *, unreadable: list[str]) -> int:
    """Seal the key with the master key that seals now; return how many values that were."""
    fact = session.get(HubFact, KEY_FACT, with_for_update=True)
    if fact is None or vault.is_current(fact.value):
        return 0
    try:
        text = vault.open(fact.value, place=_PLACE)
    except SecretUnreadable:
        unreadable.append("the key of contact names")
        return 0
    fact.value = vault.seal(text, place=_PLACE)
    return 1


def _make_key(hub: Hub) -> str:
    """Store a fresh key unless another process was first; return the one that is stored."""
    text = base64.b64encode(os.urandom(_KEY_BYTES)).decode()
    fresh = {"name": KEY_FACT, "value": hub.vault.seal(text, place=_PLACE)}
    dialect = sqlite if hub.database.is_sqlite else postgresql
    with hub.database.write() as session:
        session.execute(dialect.insert(HubFact).values(fresh).on_conflict_do_nothing())
        return session.get_one(HubFact, KEY_FACT).value


def _normalised(value: str) -> str:
    """Return a number in E.164, an e-mail address in lower case, and an id as it is."""
    text = value.strip()
    number = to_e164(text)
    if number is not None:
        return number
    return text.lower() if "@" in text else text
