"""Settings of the hub, read from the environment once per process."""

import base64
import binascii
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import BeforeValidator, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lib.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# HighLevel's published key for X-GHL-Signature:
# https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide
GOHIGHLEVEL_ED25519_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----
"""


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """What an operator may set; every name is documented in README.md."""

    model_config = SettingsConfigDict(env_prefix="HUB_", env_ignore_empty=True, frozen=True)

    database_url: SecretStr = SecretStr("sqlite:///data/hub.db")
    master_keys: SecretStr | None = None
    key_file: Path = Path("data/master.keys")
    public_url: str = "http://localhost:8000"
    dashboard_url: str | None = None
    trusted_proxies: Networks = ()
    allowed_private_networks: Networks = ()
    twilio_api_url: str = "https://api.twilio.com"
    gohighlevel_api_url: str = "https://services.leadconnectorhq.com"
    make_api_url: str | None = None
    gohighlevel_ed25519_key: str = GOHIGHLEVEL_ED25519_KEY
    gohighlevel_rsa_key: str | None = None
    receiver_port: int = 8000
    dashboard_port: int = 8501
    max_body_bytes: int = 1_048_576
    delivery_lease_seconds: int = 60
    api_requests_per_minute: int = 600

    @property
    def vendor_api_urls(self) -> tuple[str, ...]:
        """The vendors' API addresses, for which the operator vouches."""
        urls = (self.twilio_api_url, self.gohighlevel_api_url, self.make_api_url)
        return tuple(url for url in urls if url is not None)

    @property
    def dashboard_address(self) -> str:
        """Where people open the dashboard; links in messages begin with it."""
        return self.dashboard_url or f"http://localhost:{self.dashboard_port}"

    @field_validator(
        "public_url", "dashboard_url", "twilio_api_url", "gohighlevel_api_url", "make_api_url"
    )
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("give a full URL such as https://hub.example.com")
        if parts.query or parts.fragment:
            raise ValueError("give the URL without ? and #")
        return value.rstrip("/")

    @field_validator("delivery_lease_seconds")
    @classmethod
    def _check_lease(cls, value: int) -> int:
        if not 2 <= value <= 600:
            raise ValueError("give 2 to 600 seconds")
        return value

    @field_validator("api_requests_per_minute")
    @classmethod
    def _check_api_requests(cls, value: int) -> int:
        if not 1 <= value <= 1_000_000:
            raise ValueError("give 1 to 1000000 requests")
        return value

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url.startswith("postgres://"):
            url = url.replace("postgres://", "postgresql://", 1)
        if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("give sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
        return SecretStr(url)

    @field_validator("master_keys")
    @classmethod
    def _check_master_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            decode_master_keys(value.get_secret_value())
        return value

    @field_validator("gohighlevel_ed25519_key")
    @classmethod
    def _check_ed25519_key(cls, value: str) -> str:
        return _check_public_key(value, ed25519.Ed25519PublicKey, name="Ed25519")

    @field_validator("gohighlevel_rsa_key")
    @classmethod
    def _check_rsa_key(cls, value: str | None) -> str | None:
        return None if value is None else _check_public_key(value, rsa.RSAPublicKey, name="RSA")


def _check_public_key(value: str, kind: type, *, name: str) -> str:
    pem = value.replace("\\n", "\n")
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ValueError(f"give a public key of kind {name} in PEM form") from error
    if not isinstance(key, kind):
        raise ValueError(f"give a public key of kind {name}, not one of another kind")
    return pem


def decode_master_keys(text: str) -> list[bytes]:
    """Return the 32-byte keys of a comma-separated base64 list; the first one seals.

    Raises ValueError without repeating any part of `text`.
    """
    keys = []
    for part in text.replace("\n", ",").split(","):
        if not part.strip():
            continue
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            raise ValueError("each key must be base64 of exactly 32 bytes")
        keys.append(key)
    if not keys:
        raise ValueError("give at least one key")
    return keys


def load_settings(make: Callable[[], Settings] = Settings) -> Settings:
    """Read the environment; raise one ConfigError that names every bad key."""
    try:
        return make()
    except ValidationError as error:
        lines = [
            f"HUB_{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        ]
    raise ConfigError("Mend these settings and start again. " + "; ".join(lines))
