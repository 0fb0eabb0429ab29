"""The key file: made once, readable by its owner alone, never made anew."""

import stat
from pathlib import Path

import pytest

from lib.errors import ConfigError
from lib.vault import keys
from tests.processes import run_at_once


def test_a_key_file_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.keys"
    assert keys.create_key_file(path)
    text = path.read_text()
    assert not keys.create_key_file(path)
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "master.keys"
    made = run_at_once(keys.create_key_file, [path] * 8)
    assert made.count(True) == 1
    assert len(keys.read_key_file(path)) == 1


def test_a_new_key_comes_first_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "master.keys"
    keys.create_key_file(path)
    old = keys.read_key_file(path)
    keys.add_key(path)
    assert keys.read_key_file(path)[1:] == old
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "geheim\n"])
def test_a_damaged_key_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.keys"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"Mend .*master\.keys") as caught:
        keys.read_key_file(path)
    assert "geheim" not in caught.value.message
