"""Sealing anew from the screen: counted by key, after the password, told as it goes."""

import pytest

from lib.errors import InvalidInput, NotAllowed
from lib.hub import Hub, prepare_hub
from lib.people import passwords
from lib.people.users import add_user
from lib.vault.key_rotation import key_status, rotate_keys
from tests.event_factories import TOKEN, make_integration
from tests.factories import make_user

PASSWORD = "correct horse battery"


def _ignore(_done: int, _total: int) -> None:
    """Hear how far it has come."""


def test_a_key_of_the_file_is_followed_by_a_new_one(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "COST", 4)
    hub.settings.key_file.unlink(missing_ok=True)
    from lib.models import HubFact
    from lib.vault.keys import create_key_file

    with hub.database.write() as session:
        session.delete(session.get_one(HubFact, "key_canary"))
    create_key_file(hub.settings.key_file)
    filed = prepare_hub(hub.settings.model_copy(update={"master_keys": None}))
    staff, _ = add_user(filed, email="sam@example.com", name="Sam", role="staff", password=PASSWORD)
    make_integration(filed, make_user(filed))
    before = key_status(filed, staff)
    assert (before.is_from_file, before.outdated, len(before.keys)) == (True, 0, 1)
    with pytest.raises(InvalidInput):
        rotate_keys(filed, staff, password="wrong", report=_ignore)
    told: list[tuple[int, int]] = []
    done = rotate_keys(filed, staff, password=PASSWORD, report=lambda *n: told.append(n))
    assert told[-1][0] == told[-1][1]
    assert done.resealed >= 1
    again = prepare_hub(filed.settings)
    after = key_status(again, staff)
    assert (after.outdated, len(after.keys), after.keys[0].id) == (0, 2, done.key_id)
    assert TOKEN not in repr(after)
    again.close()
    filed.close()


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_only_staff_reach_the_keys(hub: Hub, role: str) -> None:
    eve = make_user(hub, "eve@example.com", role)
    with pytest.raises(NotAllowed):
        key_status(hub, eve)
    with pytest.raises(NotAllowed):
        rotate_keys(hub, eve, password=PASSWORD, report=_ignore)
