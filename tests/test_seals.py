"""Sealed values open with the right key at the right place, and nowhere else."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import SecretUnreadable
from lib.vault.seals import Vault, key_id

OLD, NEW = os.urandom(32), os.urandom(32)
PLACE = ("integration_configs", "int_1", "auth_token")


@given(st.text(max_size=200))
def test_what_was_sealed_opens(text: str) -> None:
    vault = Vault([OLD])
    sealed = vault.seal(text, place=PLACE)
    assert vault.open(sealed, place=PLACE) == text
    assert sealed != vault.seal(text, place=PLACE)


@pytest.mark.parametrize("part", range(3))
def test_a_moved_value_does_not_open(part: int) -> None:
    vault = Vault([OLD])
    sealed = vault.seal("s3cret-value", place=PLACE)
    elsewhere = tuple("other" if i == part else item for i, item in enumerate(PLACE))
    with pytest.raises(SecretUnreadable, match="Enter the value again") as caught:
        vault.open(sealed, place=elsewhere)
    assert "s3cret" not in caught.value.message


def test_a_changed_value_does_not_open() -> None:
    vault = Vault([OLD])
    version, name, encoded = vault.seal("s3cret", place=PLACE).split(".")
    raw = bytearray(base64.b64decode(encoded))
    raw[-1] ^= 1
    changed = f"{version}.{name}.{base64.b64encode(bytes(raw)).decode()}"
    for sealed in (changed, "", "v1.x", f"v2.{name}.{encoded}", f"v1.{name}.!!", f"v1.{name}."):
        with pytest.raises(SecretUnreadable):
            vault.open(sealed, place=PLACE)


def test_the_first_key_seals_and_all_open() -> None:
    old = Vault([OLD]).seal("a", place=PLACE)
    vault = Vault([NEW, OLD])
    assert vault.open(old, place=PLACE) == "a"
    assert not vault.is_current(old)
    assert vault.is_current(vault.seal("a", place=PLACE))
    with pytest.raises(SecretUnreadable, match="not at hand"):
        Vault([NEW]).open(old, place=PLACE)


def test_a_running_vault_learns_a_key_that_was_rotated_in() -> None:
    keys = [OLD]
    running = Vault(keys, reload=lambda: keys)
    keys.insert(0, NEW)
    assert running.open(Vault([NEW]).seal("a", place=PLACE), place=PLACE) == "a"
    assert running.sealing_key_id == key_id(OLD)


def test_no_key_shows() -> None:
    vault = Vault([OLD])
    assert repr(vault) == f"Vault(keys=['{key_id(OLD)}'])"
