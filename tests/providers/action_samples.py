"""For each action that a provider declares: values to call with and an input that is right."""

from typing import Any

PHONE = "+14155550123"
START = "2026-11-23T10:00:00Z"
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
    "gohighlevel": {
        "location_id": "loc0000000000000001",
        "private_token": "pit-secret-0123456789",
        "shared_secret": "shared-secret-0123456789",
        "client_id": "app1-suffix",
        "client_secret": "client-secret-0123456789",
    },
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
    "gohighlevel": {
        "search_contacts": {"query": "ada", "email": "ada@example.com"},
        "get_contact": {"contact_id": "con1"},
        "create_contact": {"first_name": "Ada", "email": "ada@example.com"},
        "upsert_contact": {"phone": "+1 415 555 0123", "tags": ["vip"]},
        "update_contact": {"contact_id": "con1", "city": "Berlin"},
        "delete_contact": {"contact_id": "con1"},
        "add_tags": {"contact_id": "con1", "tags": ["vip"]},
        "remove_tags": {"contact_id": "con1", "tags": ["vip"]},
        "list_notes": {"contact_id": "con1"},
        "add_note": {"contact_id": "con1", "body": "Called"},
        "list_tasks": {"contact_id": "con1"},
        "add_task": {"contact_id": "con1", "title": "Call", "due_date": START},
        "search_conversations": {"contact_id": "con1"},
        "list_messages": {"conversation_id": "cnv1"},
        "send_message": {"contact_id": "con1", "message": "Hello"},
        "list_calendars": {},
        "free_slots": {"calendar_id": "cal1", "start": START, "end": "2026-12-24T10:00:00Z"},
        "book_appointment": {"calendar_id": "c1", "contact_id": "con1", "start_time": START},
        "update_appointment": {"appointment_id": "apt1", "appointment_status": "cancelled"},
        "list_workflows": {},
        "add_contact_to_workflow": {"contact_id": "con1", "workflow_id": "wf1", "start_at": START},
        "remove_contact_from_workflow": {"contact_id": "con1", "workflow_id": "wf1"},
        "search_opportunities": {"q": "chair", "status": "all"},
        "list_pipelines": {},
        "create_opportunity": {
            "name": "Chair",
            "contact_id": "con1",
            "pipeline_id": "pip1",
            "monetary_value": 120,
        },
        "update_opportunity_status": {"opportunity_id": "opp1", "status": "won"},
        "get_location": {},
    },
}
