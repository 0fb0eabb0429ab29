"""Rotation of the master key while the hub runs: every sealed value is sealed anew."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from lib import pseudonyms
from lib.alerts.mail_settings import NAME as MAIL
from lib.alerts.mail_settings import is_mail_outdated, reseal_mail
from lib.errors import SecretUnreadable
from lib.hub import Hub, open_hub
from lib.models import HubFact, HubSetting
from lib.settings import Settings
from lib.vault import keys
from lib.vault.row_secrets import SEALING_TABLES, SealingRow, place_of
from lib.vault.seals import sealing_key_of


@dataclass(frozen=True)
class Rotation:
    """What a rotation did: how many values it sealed anew, and which it could not open."""

    key_id: str
    resealed: int
    unreadable: tuple[str, ...]


Report = Callable[[int, int], None]


def rotate(settings: Settings, report: Report | None = None) -> Rotation:
    """Seal everything with a new key, or with the first of HUB_MASTER_KEYS where that is set.

    The old keys stay in the key file, because backups need them and running processes seal
    with them until they are started again. A rotation that was interrupted is run again.
    """
    if settings.master_keys is None:
        # The database must belong to the present keys before a new one joins them.
        open_hub(settings).close()
        keys.add_key(settings.key_file)
    hub = open_hub(settings)
    try:
        return reseal(hub, report)
    finally:
        hub.close()


def reseal(hub: Hub, report: Report | None = None) -> Rotation:
    """Seal every credential and the canary with the key that seals now.

    `report` hears after each row how many are done, of how many.
    """
    with hub.database.read() as session:
        places = [(table, row_id) for table in SEALING_TABLES for row_id in _ids(session, table)]
    count = 0
    unreadable: list[str] = []
    for number, (table, row_id) in enumerate(places, 1):
        # One short transaction a row: the receiver and the screens write in between.
        with hub.database.write() as session:
            row = session.get(table, row_id, with_for_update=True)
            if isinstance(row, SealingRow):
                count += _reseal_row(hub, row, unreadable=unreadable)
        if report is not None:
            report(number, len(places))
    try:
        count += reseal_mail(hub)
    except SecretUnreadable:
        unreadable.append("password of the mail server")
    with hub.database.write() as session:
        count += pseudonyms.reseal_key(session, hub.vault, unreadable=unreadable)
    with hub.database.write() as session:
        keys.reseal_canary(session, hub.vault)
    return Rotation(hub.vault.sealing_key_id, count, tuple(unreadable))


def count_outdated(hub: Hub) -> int:
    """Return how many values are sealed with another key than the one that seals now."""
    with hub.database.read() as session:
        rows = [
            fields
            for table in SEALING_TABLES
            for fields in session.exec(select(col(table.credentials)))
        ]
        others = pseudonyms.is_outdated(session, hub.vault) + is_mail_outdated(session, hub.vault)
    return others + sum(
        not hub.vault.is_current(entry["sealed"]) for fields in rows for entry in fields.values()
    )


def count_by_key(hub: Hub) -> Counter[str]:
    """Return how many values are sealed under each key, by the key's public id."""
    with hub.database.read() as session:
        sealed = [
            entry["sealed"]
            for table in SEALING_TABLES
            for fields in session.exec(select(col(table.credentials)))
            for entry in fields.values()
        ]
        mail = session.get(HubSetting, MAIL)
        entry = mail.value.get("password") if mail else None
        facts = [session.get(HubFact, name) for name in (keys.CANARY, pseudonyms.KEY_FACT)]
    sealed += [entry["sealed"]] if entry else []
    return Counter(sealing_key_of(each) for each in (*sealed, *(f.value for f in facts if f)))


def _ids(session: Session, table: type[SealingRow]) -> Sequence[str]:
    return session.exec(select(col(table.id))).all()


def _reseal_row(hub: Hub, row: SealingRow, *, unreadable: list[str]) -> int:
    renewed = dict(row.credentials)
    count = 0
    for name, entry in row.credentials.items():
        if hub.vault.is_current(entry["sealed"]):
            continue
        place = place_of(row, name)
        try:
            text = hub.vault.open(entry["sealed"], place=place)
        except SecretUnreadable:
            unreadable.append(f"{name} of {row.id}")
            continue
        renewed[name] = {**entry, "sealed": hub.vault.seal(text, place=place)}
        count += 1
    if count:
        row.credentials = renewed
    return count
