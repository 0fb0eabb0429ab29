"""Asks Twilio whether an account's credentials work."""

from typing import Any

from lib.http import VendorAnswer, VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import Values
from lib.providers.text import text_at
from lib.providers.twilio.api import api_url

_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404
# Twilio states no scopes; these are what the ladder has seen to work.
_WHOLE, _READS = "Auth Token: whole account", "API key: read messages"
_REFUSED = (
    "Twilio refused the Account SID and Auth Token (20003). Copy both again from the Console's "
    "start page; check for stray spaces, another region, a sub-account or a suspended account."
)
_WRONG_KEY = (
    "The Auth Token works, but Twilio refused the API key (20003). Create the key in the same "
    "account and region, then enter its SID and secret again."
)
_TEST_CREDENTIALS = (
    "These are Twilio test credentials: they work only for test messages and calls, and no "
    "webhook is signed with them. Enter the live Auth Token to receive events."
)
_RESTRICTED_KEY = (
    "The Auth Token works and the API key is alive but limited: it may not read messages. Give "
    "it the permissions that your routes need."
)


def check_account(values: Values, configured_url: str, *, client: VendorClient) -> CheckResult:
    """Climb the ladder: the Auth Token on the account, then the API key where there is one.

    The account's answer holds the Auth Token in clear, so only named fields of it are used.
    """
    base = f"{api_url(values, configured_url)}/2010-04-01/Accounts/{values['account_sid']}"
    answer = _get(client, f"{base}.json", auth=(values["account_sid"], values["auth_token"]))
    if answer.status != _OK:
        return _explain_refusal(answer)
    account = answer.json_object()
    facts = _facts(account)
    status = facts.get("status", "active")
    if status != "active":
        return CheckResult(
            "failed",
            f"The credentials are right, but the Twilio account is {status}. Reactivate it in "
            "the Twilio Console.",
            facts,
        )
    if values.get("api_key_sid"):
        return _check_key(values, base, client=client, facts=facts)
    return CheckResult("verified", _verified_message(facts), facts, scopes_found=(_WHOLE,))


def _check_key(
    values: Values, base: str, *, client: VendorClient, facts: dict[str, str]
) -> CheckResult:
    """Try the key: a Standard key may not read /Accounts, a Restricted one perhaps nothing here.

    https://www.twilio.com/docs/api/errors/20003
    """
    auth = (values["api_key_sid"], values["api_key_secret"])
    answer = _get(client, f"{base}.json", auth=auth)
    if answer.status != _OK:
        answer = _get(client, f"{base}/Messages.json", auth=auth, params={"PageSize": "1"})
    if answer.status == _OK:
        return CheckResult(
            "verified", _verified_message(facts), facts, scopes_found=(_WHOLE, _READS)
        )
    if answer.status == _FORBIDDEN:
        return CheckResult(
            "accepted", _RESTRICTED_KEY, facts, scopes_found=(_WHOLE,), scopes_missing=(_READS,)
        )
    if answer.status == _UNAUTHORIZED:
        return CheckResult("failed", _WRONG_KEY, facts, scopes_found=(_WHOLE,))
    return _explain_refusal(answer)


def _get(
    client: VendorClient, url: str, *, auth: tuple[str, str], params: dict[str, str] | None = None
) -> VendorAnswer:
    answer = client.request("GET", url, auth=auth, params=params or {})
    answer.raise_if_unavailable("Twilio")
    return answer


def _explain_refusal(answer: VendorAnswer) -> CheckResult:
    if answer.status == _UNAUTHORIZED:
        return CheckResult("failed", _REFUSED)
    if answer.status == _FORBIDDEN:
        return CheckResult("accepted", _TEST_CREDENTIALS)
    if answer.status == _NOT_FOUND:
        return CheckResult(
            "failed", "Twilio does not know this Account SID. Copy it again from the Console."
        )
    return CheckResult(
        "failed", f"Twilio answered {answer.status}. Check HUB_TWILIO_API_URL, then try again."
    )


def _facts(account: dict[str, Any]) -> dict[str, str]:
    names = {"account": "friendly_name", "status": "status", "type": "type"}
    return {label: text for label, name in names.items() if (text := text_at(account, name))}


def _verified_message(facts: dict[str, str]) -> str:
    name, kind = facts.get("account", ""), facts.get("type", "")
    suffix = " It is a trial account: it reaches only verified numbers." if kind == "Trial" else ""
    return f"Twilio knows the account{f' {name}' if name else ''}.{suffix}"
