"""The master keys as staff see them: which seal what, and sealing everything anew."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib import audit
from lib.access import Actor, require_staff
from lib.hub import Hub
from lib.people.sign_in import confirm_password
from lib.vault import rotation
from lib.vault.rotation import Rotation


@dataclass(frozen=True)
class KeyRow:
    """One master key by its public id, never the key: how many values it seals.

    `is_at_hand` is False for a key that values name and this process does not have.
    """

    id: str
    seals_now: bool
    sealed: int
    is_at_hand: bool


@dataclass(frozen=True)
class KeyStatus:
    """The keys and where they come from: `is_from_file` or HUB_MASTER_KEYS."""

    keys: Sequence[KeyRow]
    is_from_file: bool
    outdated: int


def key_status(hub: Hub, actor: Actor) -> KeyStatus:
    """Return the keys, the one that seals first; staff only."""
    require_staff(actor)
    counts = Counter(rotation.count_by_key(hub))
    at_hand = hub.vault.key_ids
    ids = [*at_hand, *sorted(counts.keys() - set(at_hand))]
    sealing = hub.vault.sealing_key_id
    rows = [KeyRow(each, each == sealing, counts[each], each in at_hand) for each in ids]
    return KeyStatus(
        sorted(rows, key=lambda row: not row.seals_now),
        hub.settings.master_keys is None,
        counts.total() - counts[sealing],
    )


def rotate_keys(
    hub: Hub, actor: Actor, *, password: str, report: Callable[[int, int], None]
) -> Rotation:
    """Seal everything anew and return what was done; `report` hears done and total.

    With keys of the key file a new one is made first; with HUB_MASTER_KEYS its first one seals.
    Raises InvalidInput for a wrong password. Staff only.
    """
    require_staff(actor)
    confirm_password(hub, actor, password)
    done = rotation.rotate(hub.settings, report)
    with hub.database.write() as session:
        audit.record(
            session,
            actor,
            "keys.rotated",
            done.key_id,
            resealed=str(done.resealed),
            unreadable=str(len(done.unreadable)),
        )
    return done
