"""What of HighLevel's API the hub calls: method, path, Version header and scope of each call.

https://marketplace.gohighlevel.com/docs/ and the OpenAPI files apps/*.json of
https://github.com/GoHighLevel/highlevel-api-docs; the Version is mandatory and differs.
"""

from dataclasses import dataclass

_GENERAL = "2021-07-28"
_TALK = "2021-04-15"


@dataclass(frozen=True)
class Endpoint:
    """One call; `{names}` in the path stand for ids."""

    method: str
    path: str
    version: str
    scope: str


GET_LOCATION = Endpoint("GET", "/locations/{location_id}", _GENERAL, "locations.readonly")

SEARCH_CONTACTS = Endpoint("POST", "/contacts/search", _GENERAL, "contacts.readonly")
GET_CONTACT = Endpoint("GET", "/contacts/{contact_id}", _GENERAL, "contacts.readonly")
CREATE_CONTACT = Endpoint("POST", "/contacts/", _GENERAL, "contacts.write")
UPSERT_CONTACT = Endpoint("POST", "/contacts/upsert", _GENERAL, "contacts.write")
UPDATE_CONTACT = Endpoint("PUT", "/contacts/{contact_id}", _GENERAL, "contacts.write")
DELETE_CONTACT = Endpoint("DELETE", "/contacts/{contact_id}", _GENERAL, "contacts.write")
ADD_TAGS = Endpoint("POST", "/contacts/{contact_id}/tags", _GENERAL, "contacts.write")
REMOVE_TAGS = Endpoint("DELETE", "/contacts/{contact_id}/tags", _GENERAL, "contacts.write")
LIST_NOTES = Endpoint("GET", "/contacts/{contact_id}/notes", _GENERAL, "contacts.readonly")
ADD_NOTE = Endpoint("POST", "/contacts/{contact_id}/notes", _GENERAL, "contacts.write")
LIST_TASKS = Endpoint("GET", "/contacts/{contact_id}/tasks", _GENERAL, "contacts.readonly")
ADD_TASK = Endpoint("POST", "/contacts/{contact_id}/tasks", _GENERAL, "contacts.write")

_IN_WORKFLOW = "/contacts/{contact_id}/workflow/{workflow_id}"
LIST_WORKFLOWS = Endpoint("GET", "/workflows/", _GENERAL, "workflows.readonly")
ENTER_WORKFLOW = Endpoint("POST", _IN_WORKFLOW, _GENERAL, "contacts.write")
LEAVE_WORKFLOW = Endpoint("DELETE", _IN_WORKFLOW, _GENERAL, "contacts.write")

SEARCH_CONVERSATIONS = Endpoint("GET", "/conversations/search", _TALK, "conversations.readonly")
LIST_MESSAGES = Endpoint(
    "GET",
    "/conversations/{conversation_id}/messages",
    _TALK,
    "conversations/message.readonly",
)
SEND_MESSAGE = Endpoint("POST", "/conversations/messages", _TALK, "conversations/message.write")

_APPOINTMENTS = "/calendars/events/appointments"
LIST_CALENDARS = Endpoint("GET", "/calendars/", _TALK, "calendars.readonly")
FREE_SLOTS = Endpoint("GET", "/calendars/{calendar_id}/free-slots", _TALK, "calendars.readonly")
BOOK_APPOINTMENT = Endpoint("POST", _APPOINTMENTS, _TALK, "calendars/events.write")
UPDATE_APPOINTMENT = Endpoint(
    "PUT", f"{_APPOINTMENTS}/{{appointment_id}}", _TALK, "calendars/events.write"
)

SEARCH_OPPORTUNITIES = Endpoint("GET", "/opportunities/search", _GENERAL, "opportunities.readonly")
LIST_PIPELINES = Endpoint("GET", "/opportunities/pipelines", _GENERAL, "opportunities.readonly")
CREATE_OPPORTUNITY = Endpoint("POST", "/opportunities/", _GENERAL, "opportunities.write")
UPDATE_OPPORTUNITY_STATUS = Endpoint(
    "PUT", "/opportunities/{opportunity_id}/status", _GENERAL, "opportunities.write"
)

# The camelCase addresses; their answers are snake_case under every Version but v3.
LOCATION_TOKEN = Endpoint("POST", "/oauth/locationToken", _GENERAL, "oauth.write")
