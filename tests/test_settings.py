"""What an operator may set, and what is said about a bad value."""

import base64
import os

import pytest

from lib.errors import ConfigError
from lib.settings import decode_master_keys, load_settings


def test_defaults_need_no_environment() -> None:
    settings = load_settings()
    assert settings.database_url.get_secret_value() == "sqlite:///data/hub.db"
    assert settings.public_url == "http://localhost:8000"
    assert (settings.receiver_port, settings.dashboard_port) == (8000, 8501)


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PUBLIC_URL", "hub.example.com")
    monkeypatch.setenv("HUB_DATABASE_URL", "mysql://root:geheim@db/hub")
    monkeypatch.setenv("HUB_MASTER_KEYS", "geheim")
    monkeypatch.setenv("HUB_TRUSTED_PROXIES", "nonsense")
    monkeypatch.setenv("HUB_API_REQUESTS_PER_MINUTE", "0")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    for name in (
        "HUB_PUBLIC_URL",
        "HUB_DATABASE_URL",
        "HUB_MASTER_KEYS",
        "HUB_TRUSTED_PROXIES",
        "HUB_API_REQUESTS_PER_MINUTE",
    ):
        assert name in caught.value.message
    assert "geheim" not in caught.value.message


def test_urls_are_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PUBLIC_URL", "https://hub.example.com/")
    monkeypatch.setenv("HUB_DATABASE_URL", "postgres://hub@db/hub")
    monkeypatch.setenv("HUB_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    settings = load_settings()
    assert settings.public_url == "https://hub.example.com"
    assert settings.database_url.get_secret_value() == "postgresql://hub@db/hub"
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    key = base64.b64encode(os.urandom(32)).decode()
    monkeypatch.setenv("HUB_MASTER_KEYS", key)
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://hub:geheim@db/hub")
    assert key not in repr(load_settings())
    assert "geheim" not in repr(load_settings())


def test_a_public_key_may_be_written_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pem = load_settings().gohighlevel_ed25519_key
    monkeypatch.setenv("HUB_GOHIGHLEVEL_ED25519_KEY", pem.replace("\n", "\\n"))
    assert load_settings().gohighlevel_ed25519_key == pem


@pytest.mark.parametrize("text", ["", " , ", "c2hvcnQ=", "not base64!"])
def test_bad_master_keys_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        decode_master_keys(text)
