"""For each action that a provider declares: values to call with and an input that is right."""

from typing import Any

PHONE = "+14155550123"
VALUES: dict[str, dict[str, str]] = {
    "twilio": {
        "account_sid": "AC00000000000000000000000000000001",
        "auth_token": "auth-secret-0123456789",
        "from_number": "+15005550006",
    },
    "make": {
        "api_token": "api-secret-0123456789",
        "team_id": "1",
        "zone": "eu1",
        "hook_api_key": "key-secret-0123456789",
    },
    "zapier": {},
}
INPUTS: dict[str, dict[str, dict[str, Any]]] = {
    "twilio": {
        "send_message": {"to": PHONE, "body": "Hello"},
        "place_call": {"to": PHONE, "say": "Hello"},
        "get_message": {"sid": "SM" + "a" * 32},
        "get_call": {"sid": "CA" + "a" * 32},
        "list_messages": {},
    },
    "make": {
        "trigger_hook": {"data": {"a": 1}},
        "run_scenario": {"scenario_id": 7},
        "start_scenario": {"scenario_id": 7},
        "stop_scenario": {"scenario_id": 7},
        "list_scenarios": {},
        "list_hooks": {},
    },
    "zapier": {"trigger_hook": {"data": {"a": 1}}},
}
