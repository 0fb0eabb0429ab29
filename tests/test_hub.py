"""Opening a hub: the key belongs to the database or the hub does not start."""

import base64
import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from lib.errors import ConfigError
from lib.hub import Hub, open_hub, prepare_hub
from lib.settings import Settings
from tests.factories import make_user


def _with_another_key(settings: Settings) -> Settings:
    other = SecretStr(base64.b64encode(os.urandom(32)).decode())
    return settings.model_copy(update={"master_keys": other})


def _with_key_file(settings: Settings) -> Settings:
    return settings.model_copy(update={"master_keys": None})


def test_a_prepared_hub_opens_again(hub: Hub) -> None:
    actor = make_user(hub)
    again = open_hub(hub.settings)
    assert again.vault.sealing_key_id == hub.vault.sealing_key_id
    assert actor.id.startswith("usr_")
    again.close()


def test_another_key_is_refused(hub: Hub) -> None:
    for start in (prepare_hub, open_hub):
        with pytest.raises(ConfigError, match="does not belong to this database"):
            start(_with_another_key(hub.settings))


def test_a_new_hub_gets_a_key_that_only_its_owner_reads(settings: Settings) -> None:
    settings = _with_key_file(settings)
    prepare_hub(settings).close()
    assert stat.S_IMODE(settings.key_file.stat().st_mode) == 0o600
    open_hub(settings).close()


def test_a_lost_key_is_never_replaced(settings: Settings) -> None:
    settings = _with_key_file(settings)
    prepare_hub(settings).close()
    settings.key_file.unlink()
    for start in (prepare_hub, open_hub):
        with pytest.raises(ConfigError, match="no master key"):
            start(settings)
    assert not settings.key_file.exists()


def test_open_hub_needs_a_migrated_database(empty_database_url: str, tmp_path: Path) -> None:
    settings = Settings(
        database_url=SecretStr(empty_database_url), key_file=tmp_path / "master.keys"
    )
    with pytest.raises(ConfigError, match="cli migrate"):
        open_hub(settings)


def test_open_hub_says_when_the_server_is_away(tmp_path: Path) -> None:
    settings = Settings(
        database_url=SecretStr("postgresql://hub:geheim@127.0.0.1:1/hub"),
        key_file=tmp_path / "master.keys",
    )
    with pytest.raises(ConfigError, match="does not answer") as caught:
        open_hub(settings)
    assert "geheim" not in str(caught.value)
