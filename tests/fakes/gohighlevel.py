"""Plays services.leadconnectorhq.com for one location, and enforces what it documents.

Every call needs its own Version, a token with its scope and location, and its fields; calls
are counted per location against a burst and a daily limit.
"""

import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.gohighlevel_oauth import AppGrants, oauth_routes
from tests.fakes.trouble import find_trouble
from tests.fakes.vectors import load

LOCATION_ID = "loc0000000000000001"
TOKEN = "pit-good"
_VECTORS = load("ghl_api")
_ANSWERS = {answer["call"]: answer for answer in _VECTORS["answers"]}
_REFUSALS = {
    "pit-agency": "agency PIT on a sub-account endpoint",
    "pit-company": "OAuth Company token on a sub-account scope",
    "pit-elsewhere": "token of another location",
}
_CONTACT = _ANSWERS["POST /contacts/upsert"]["body"]["contact"]
_MOST_MILLISECONDS = 31 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Rule:
    """One endpoint: what it needs, and what it answers."""

    call: str
    version: str
    scope: str
    needs: tuple[str, ...] = ()
    status: int = 200
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.call.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.call.partition(" ")[2]


def _recorded(call: str, *, scope: str, needs: tuple[str, ...] = (), path: str = "") -> Rule:
    answer = _ANSWERS[call]
    return Rule(
        path or call, answer["version"], scope, needs, answer["status"], body=answer["body"]
    )


_OLD, _NEW = "2021-04-15", "2021-07-28"
_NOTE = {"note": {"id": "not1", "body": "Called", "contactId": _CONTACT["id"]}}
_TASK = {"task": {"id": "tsk1", "title": "Call", "contactId": _CONTACT["id"]}}
_APPOINTMENT = {"id": "apt1", "calendarId": "cal1", "appointmentStatus": "confirmed"}
_APPOINTMENTS = "/calendars/events/appointments"
RULES = (
    _recorded("GET /locations/{locationId}", scope="locations.readonly"),
    _recorded(
        "POST /contacts/search", scope="contacts.readonly", needs=("locationId", "pageLimit")
    ),
    _recorded("POST /contacts/upsert", scope="contacts.write", needs=("locationId",)),
    Rule("POST /contacts/", _NEW, "contacts.write", ("locationId",), 201, {"contact": _CONTACT}),
    Rule("GET /contacts/{id}", _NEW, "contacts.readonly", body={"contact": _CONTACT}),
    Rule("PUT /contacts/{id}", _NEW, "contacts.write", body={"contact": _CONTACT}),
    Rule("DELETE /contacts/{id}", _NEW, "contacts.write", body={"succeded": True}),
    _recorded("POST /contacts/{id}/tags", scope="contacts.write", needs=("tags",)),
    Rule("DELETE /contacts/{id}/tags", _NEW, "contacts.write", ("tags",), body={"tags": []}),
    Rule("GET /contacts/{id}/notes", _NEW, "contacts.readonly", body={"notes": [_NOTE["note"]]}),
    Rule("POST /contacts/{id}/notes", _NEW, "contacts.write", ("body",), 201, _NOTE),
    Rule("GET /contacts/{id}/tasks", _NEW, "contacts.readonly", body={"tasks": [_TASK["task"]]}),
    Rule(
        "POST /contacts/{id}/tasks",
        _NEW,
        "contacts.write",
        ("title", "dueDate", "completed"),
        201,
        _TASK,
    ),
    _recorded("POST /contacts/{id}/workflow/{workflowId}", scope="contacts.write"),
    Rule(
        "DELETE /contacts/{id}/workflow/{workflowId}",
        _NEW,
        "contacts.write",
        body={"succeded": True},
    ),
    _recorded(
        "GET /workflows/?locationId=",
        path="GET /workflows/",
        scope="workflows.readonly",
        needs=("locationId",),
    ),
    Rule(
        "GET /conversations/search",
        _OLD,
        "conversations.readonly",
        ("locationId",),
        body={"conversations": [{"id": "cnv1"}], "total": 1},
    ),
    Rule(
        "GET /conversations/{id}/messages",
        _OLD,
        "conversations/message.readonly",
        body={"messages": {"lastMessageId": "msg1", "nextPage": False, "messages": []}},
    ),
    _recorded(
        "POST /conversations/messages",
        scope="conversations/message.write",
        needs=("type", "contactId"),
    ),
    Rule(
        "GET /calendars/",
        _OLD,
        "calendars.readonly",
        ("locationId",),
        body={"calendars": [{"id": "cal1", "name": "Chair 1"}]},
    ),
    Rule(
        "GET /calendars/{id}/free-slots",
        _OLD,
        "calendars.readonly",
        ("startDate", "endDate"),
        body={"2026-11-26": {"slots": ["2026-11-26T09:00:00-05:00"]}},
    ),
    Rule(
        f"POST {_APPOINTMENTS}",
        _OLD,
        "calendars/events.write",
        ("calendarId", "locationId", "contactId", "startTime"),
        body=_APPOINTMENT,
    ),
    Rule(f"PUT {_APPOINTMENTS}/{{id}}", _OLD, "calendars/events.write", body=_APPOINTMENT),
    Rule(
        "GET /opportunities/search",
        _NEW,
        "opportunities.readonly",
        ("location_id",),
        body={"opportunities": [{"id": "opp1"}], "meta": {"total": 1}},
    ),
    Rule(
        "GET /opportunities/pipelines",
        _NEW,
        "opportunities.readonly",
        ("locationId",),
        body={"pipelines": [{"id": "pip1", "name": "Sales", "stages": []}]},
    ),
    Rule(
        "POST /opportunities/",
        _NEW,
        "opportunities.write",
        ("pipelineId", "locationId", "name", "status", "contactId"),
        201,
        {"opportunity": {"id": "opp1", "status": "open"}},
    ),
    Rule(
        "PUT /opportunities/{id}/status",
        _NEW,
        "opportunities.write",
        ("status",),
        body={"succeded": True},
    ),
)


@dataclass
class Meter:
    """Counts what reached the location; `most_in_window` is the worst it ever saw."""

    burst: int = 100
    seconds: float = 10.0
    daily: int = 200_000
    arrivals: list[float] = field(default_factory=list)
    refused: int = 0

    def count(self) -> bool:
        """Take one call; say whether it is within the limits."""
        self.arrivals.append(time.monotonic())
        is_within = self.recent() <= self.burst and len(self.arrivals) <= self.daily
        self.refused += not is_within
        return is_within

    def recent(self) -> int:
        """Return how many came within the last window."""
        since = time.monotonic() - self.seconds
        return sum(1 for moment in self.arrivals if moment > since)

    @property
    def most_in_window(self) -> int:
        """The most calls that any window of that length held, wherever it begins."""
        return max(
            (
                sum(1 for later in self.arrivals if start <= later < start + self.seconds)
                for start in self.arrivals
            ),
            default=0,
        )

    def headers(self) -> dict[str, str]:
        """Return the limits as HighLevel states them."""
        return {
            **_VECTORS["rate_headers"],
            "X-RateLimit-Limit-Daily": str(self.daily),
            "X-RateLimit-Daily-Remaining": str(max(self.daily - len(self.arrivals), 0)),
            "X-RateLimit-Interval-Milliseconds": str(round(self.seconds * 1000)),
            "X-RateLimit-Max": str(self.burst),
            "X-RateLimit-Remaining": str(max(self.burst - self.recent(), 0)),
        }


def make_app(meter: Meter | None = None, grants: AppGrants | None = None) -> Starlette:
    """Return the fake.

    `app.state.sent` keeps (path, body) of what was written, `app.state.queries` the queries.
    """
    # The longest paths first: /contacts/search is no contact's id.
    ordered = sorted(RULES, key=lambda rule: ("{" in rule.path, -len(rule.path)))
    routes = [Route(rule.path, _answering(rule), methods=[rule.method]) for rule in ordered]
    app = Starlette(routes=[*oauth_routes(), *routes])
    app.state.sent = []
    app.state.queries = []
    app.state.calls = Counter()
    app.state.meter = meter or Meter(burst=10_000)
    app.state.grants = grants or AppGrants(LOCATION_ID)
    return app


def _answering(rule: Rule) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        refusal = await _refuse(request, rule)
        if refusal is not None:
            return refusal
        given = await _given(request)
        if refusal := _refuse_fields(request, rule, given):
            return refusal
        if request.method != "GET":
            request.app.state.sent.append((request.url.path, given))
        request.app.state.queries.append(dict(request.query_params))
        request.app.state.calls[rule.call] += 1
        return JSONResponse(rule.body, rule.status, request.app.state.meter.headers())

    return endpoint


async def _refuse(request: Request, rule: Rule) -> Response | None:
    if refusal := _refuse_version(request, rule):
        return refusal
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if trouble := await find_trouble(token):
        return trouble
    if token in _REFUSALS:
        return _answer(_REFUSALS[token])
    scopes = _scopes_of(request, token)
    if scopes is None:
        return _answer("bad token")
    if not request.app.state.meter.count():
        answer = _ANSWERS["over the burst limit"]
        headers = request.app.state.meter.headers()
        return JSONResponse(answer["body"], answer["status"], headers)
    if "all" not in scopes and rule.scope not in scopes:
        return _answer("missing scope")
    return None


def _refuse_version(request: Request, rule: Rule) -> Response | None:
    version = request.headers.get("version")
    if version is None:
        return _answer("missing Version header")
    if version == rule.version:
        return None
    if re.fullmatch(r"v3|\d{4}-\d\d-\d\d", version):
        # HighLevel itself takes any published value; here each call must name its own.
        return _answer("unpublished Version value (date shaped)")
    return _answer("nonsense Version value")


def _scopes_of(request: Request, token: str) -> set[str] | None:
    """Return what a token may do: `pit-scopes:a,b` may do what it says."""
    if token == TOKEN:
        return {"all"}
    if token == "pit-noscope":
        return set()
    if token.startswith("pit-scopes:"):
        return set(token.partition(":")[2].split(","))
    return request.app.state.grants.scopes_of(token)


async def _given(request: Request) -> dict[str, Any]:
    body = await request.body()
    return await request.json() if body else {}


def _refuse_fields(request: Request, rule: Rule, given: Mapping[str, Any]) -> Response | None:
    stated = {**request.query_params, **given}
    missing = [f"{name} must be a string" for name in rule.needs if name not in stated]
    span = int(stated.get("endDate", 0)) - int(stated.get("startDate", 0))
    if span < 0 or span > _MOST_MILLISECONDS:
        missing.append("the range must be within 31 days")
    if missing:
        answer = _ANSWERS["invalid body"]
        body = {**answer["body"], "message": missing, "traceId": "t-422"}
        return JSONResponse(body, answer["status"])
    places = (
        stated.get("locationId"), stated.get("location_id"), request.path_params.get("locationId")
    )  # fmt: skip
    if any(place not in (None, LOCATION_ID) for place in places):
        return _answer("token of another location")
    return None


def _answer(call: str) -> Response:
    answer = _ANSWERS[call]
    return JSONResponse(answer["body"], answer["status"])
