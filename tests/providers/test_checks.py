"""Each rung of each connection check, against fakes on loopback."""

from collections.abc import Iterator

import pytest

from lib import http
from lib.errors import InvalidInput, ProviderError
from lib.http import VendorClient
from lib.providers.base import CheckResult
from lib.providers.registry import get_provider
from lib.settings import Settings
from tests.fakes import gohighlevel, make, twilio, zapier
from tests.fakes.server import running
from tests.fakes.vectors import load
from tests.providers.samples import SETTINGS

Urls = dict[str, str]
KEY_FIELDS = ("api_key_sid", "api_key_secret")


@pytest.fixture(scope="module")
def urls() -> Iterator[Urls]:
    with (
        running(twilio.make_app()) as first,
        running(gohighlevel.make_app()) as second,
        running(make.make_app()) as third,
        running(zapier.make_app()) as fourth,
    ):
        yield {"twilio": first, "gohighlevel": second, "make": third, "zapier": fourth}


def check(slug: str, urls: Urls, **values: str) -> CheckResult:
    settings = Settings(
        twilio_api_url=urls["twilio"],
        gohighlevel_api_url=urls["gohighlevel"],
        make_api_url=urls["make"],
        allowed_private_networks="127.0.0.0/8",  # type: ignore[arg-type]
    )
    with VendorClient(settings.allowed_private_networks, settings.vendor_api_urls) as client:
        result = get_provider(slug).check(values, settings, client)
    shown = f"{result} {client.calls}"
    assert not any(value in shown for name, value in values.items() if "hook_url" in name)
    assert "12345" not in shown
    return result


def twilio_values(token: str, key: tuple[str, str] | None = None) -> dict[str, str]:
    values = {"account_sid": twilio.ACCOUNT_SID, "auth_token": token}
    return values | dict(zip(KEY_FIELDS, key, strict=True)) if key else values


def hook(urls: Urls, slug: str, name: str) -> str:
    path = f"/hook/{name}" if slug == "make" else f"/hooks/catch/1/{name}/"
    return urls[slug] + path


@pytest.mark.parametrize(
    ("token", "key", "outcome"),
    [
        (twilio.AUTH_TOKEN, None, "verified"),
        ("wrong", None, "failed"),
        (twilio.TEST_AUTH_TOKEN, None, "accepted"),
        (twilio.AUTH_TOKEN, twilio.STANDARD_KEY, "verified"),
        (twilio.AUTH_TOKEN, twilio.RESTRICTED_KEY, "accepted"),
        (twilio.AUTH_TOKEN, ("SK" + "3" * 32, "wrong"), "failed"),
    ],
)
def test_twilio_ladder(urls: Urls, token: str, key: tuple[str, str] | None, outcome: str) -> None:
    assert check("twilio", urls, **twilio_values(token, key)).outcome == outcome


@pytest.mark.parametrize(
    ("token", "outcome", "word"),
    [
        (gohighlevel.TOKEN, "verified", "Demo"),
        ("pit-wrong", "failed", "refused"),
        ("pit-noscope", "accepted", "locations.readonly"),
        ("pit-agency", "failed", "agency"),
        ("pit-elsewhere", "failed", "another location"),
        ("", "accepted", "nothing to call"),
    ],
)
def test_gohighlevel_ladder(urls: Urls, token: str, outcome: str, word: str) -> None:
    location = gohighlevel.LOCATION_ID
    result = check("gohighlevel", urls, location_id=location, private_token=token)
    assert result.outcome == outcome
    assert word in result.message


def test_a_check_tells_the_scopes_that_it_saw(urls: Urls) -> None:
    whole = ("Auth Token: whole account",)
    checked = check("twilio", urls, **twilio_values(twilio.AUTH_TOKEN, twilio.RESTRICTED_KEY))
    assert (checked.scopes_found, checked.scopes_missing) == (whole, ("API key: read messages",))
    place = {"location_id": gohighlevel.LOCATION_ID}
    checked = check("gohighlevel", urls, **place, private_token=gohighlevel.TOKEN)
    assert (checked.scopes_found, checked.scopes_missing) == (("locations.readonly",), ())
    checked = check("gohighlevel", urls, **place, private_token="pit-noscope")
    assert (checked.scopes_found, checked.scopes_missing) == ((), ("locations.readonly",))
    granted = {"oauth_granted_scopes": "contacts.readonly", "scopes": "contacts.readonly a.write"}
    checked = check("gohighlevel", urls, **place, private_token=gohighlevel.TOKEN, **granted)
    assert checked.scopes_found == ("contacts.readonly", "locations.readonly")
    assert checked.scopes_missing == ("a.write",)
    broken = {"hook_url": hook(urls, "make", "gone"), "team_id": make.TEAM_ID}
    checked = check("make", urls, api_token=make.API_TOKEN, **broken)
    assert (checked.outcome, "scenarios:read" in checked.scopes_found) == ("failed", True)


@pytest.mark.parametrize(
    ("slug", "name", "outcome"),
    [
        ("make", "fine", "accepted"),
        ("make", "gone", "failed"),
        ("make", "unlinked", "failed"),
        ("make", "full", "failed"),
        ("make", "busy", "failed"),
        ("make", "failing", "failed"),
        ("make", "keyed", "failed"),
        ("zapier", "fine", "accepted"),
        ("zapier", "gone", "failed"),
        ("zapier", "MAGIC429", "failed"),
    ],
)
def test_hooks(urls: Urls, slug: str, name: str, outcome: str) -> None:
    assert check(slug, urls, hook_url=hook(urls, slug, name)).outcome == outcome


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({}, "accepted"),
        ({"api_token": make.API_TOKEN, "team_id": make.TEAM_ID}, "verified"),
        ({"api_token": make.API_TOKEN, "team_id": "2"}, "failed"),
        ({"api_token": make.API_TOKEN}, "accepted"),
        ({"api_token": "wrong", "team_id": "1"}, "failed"),
    ],
)
def test_make_api(urls: Urls, values: dict[str, str], outcome: str) -> None:
    assert check("make", urls, **values).outcome == outcome


@pytest.mark.parametrize("slug", ["zapier", "webhook"])
def test_nothing_to_call_is_accepted(urls: Urls, slug: str) -> None:
    assert check(slug, urls).outcome == "accepted"


@pytest.mark.parametrize("magic", ["MAGIC429", "MAGIC500", "MAGICSLOW", "MAGICBROKEN"])
@pytest.mark.parametrize("slug", ["twilio", "gohighlevel", "make"])
def test_vendor_trouble_is_retryable(
    urls: Urls, slug: str, magic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    values = {
        "twilio": twilio_values(magic),
        "gohighlevel": {"location_id": gohighlevel.LOCATION_ID, "private_token": magic},
        "make": {"api_token": magic, "team_id": "1"},
    }[slug]
    with pytest.raises(ProviderError) as caught:
        check(slug, urls, **values)
    assert not caught.value.permanent
    assert magic not in caught.value.message


@pytest.mark.parametrize("slug", ["make", "zapier"])
def test_hook_addresses(slug: str) -> None:
    provider, shapes = get_provider(slug), load(slug)["url_shapes"]
    local = ["http://127.0.0.1:9/hook/x", "https://127.0.0.1/x"]
    for url in [*shapes["valid"], *shapes.get("warn", []), *local]:
        assert provider.validate({"hook_url": url}, SETTINGS) == {"hook_url": url}
    strange = ["http://10.0.0.1/x", "http://localhost/x", "http://u@127.0.0.1/x", "http://[::1"]
    for url in [*shapes["reject"], *strange]:
        with pytest.raises(InvalidInput) as caught:
            provider.validate({"hook_url": url}, SETTINGS)
        assert caught.value.field == "hook_url"
