"""Plays HighLevel's token endpoints: codes and refresh tokens work once, and are counted."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.vectors import load

CLIENT_ID = "app1-suffix"
CLIENT_SECRET = "client-secret-0123456789"
COMPANY_ID = "cmp1"
_ANSWERS = {answer["call"]: answer for answer in load("ghl_api")["answers"]}


@dataclass
class AppGrants:
    """What the app was granted; tests add codes and read the counts."""

    location_id: str
    expires_seconds: int = 86_399
    answer_seconds: float = 0.0
    # Code to (user type, location).
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    refreshable: dict[str, tuple[str, str]] = field(default_factory=dict)
    access: dict[str, tuple[str, str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    is_down: bool = False
    issued: int = 0

    def issue(self, user_type: str, location: str) -> dict[str, Any]:
        """Return a new pair as the token endpoint answers it."""
        self.issued += 1
        access, refresh = f"test-access-{self.issued:04}", f"test-refresh-{self.issued:04}"
        self.access[access] = (user_type, location)
        self.refreshable[refresh] = (user_type, location)
        body = {
            **_ANSWERS["POST /oauth/token"]["body"],
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.expires_seconds,
            "userType": user_type,
            "companyId": COMPANY_ID,
        }
        if user_type == "Company":
            del body["locationId"]
        else:
            body["locationId"] = location
        return body

    def scopes_of(self, token: str) -> set[str] | None:
        """Return what an issued token may do in the location; None for an unknown one."""
        kind, location = self.access.get(token, ("", ""))
        return {"all"} if kind == "Location" and location == self.location_id else None


def oauth_routes() -> list[Route]:
    """Return the routes; `app.state.grants` is what they work on."""
    return [
        Route("/oauth/token", _token, methods=["POST"]),
        Route("/oauth/locationToken", _location_token, methods=["POST"]),
    ]


async def _token(request: Request) -> Response:
    grants: AppGrants = request.app.state.grants
    grants.counts["token"] += 1
    if grants.is_down:
        return Response("<html>down", 503)
    form = dict(await request.form())
    kind = request.headers.get("content-type", "")
    if not kind.startswith("application/x-www-form-urlencoded") or "version" in request.headers:
        return JSONResponse({"message": ["grantType must be a string"], "statusCode": 422}, 422)
    given, known = (
        (form.get("code"), grants.codes)
        if form.get("grant_type") == "authorization_code"
        else (form.get("refresh_token"), grants.refreshable)
    )
    if form.get("grant_type") == "refresh_token":
        grants.counts["refresh"] += 1
    # The code is looked at before the client's secret, and used up by it.
    found = known.pop(str(given), None)
    await asyncio.sleep(grants.answer_seconds)
    if found is None:
        answer = _ANSWERS["POST /oauth/token with a used refresh token"]
        grants.counts["refused"] += 1
        return JSONResponse(answer["body"], answer["status"])
    if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        return JSONResponse({"error": "invalid_client"}, 401)
    if form.get("grant_type") == "authorization_code" and not form.get("redirect_uri"):
        return JSONResponse({"message": ["redirect_uri must be a string"]}, 422)
    return JSONResponse(grants.issue(*found))


async def _location_token(request: Request) -> Response:
    grants: AppGrants = request.app.state.grants
    grants.counts["location_token"] += 1
    if grants.is_down:
        return Response("<html>down", 503)
    if request.headers.get("version") != "2021-07-28":
        return JSONResponse({"statusCode": 401, "message": "version header was not found."}, 401)
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if grants.access.get(token, ("", ""))[0] != "Company":
        answer = _ANSWERS["bad token"]
        return JSONResponse(answer["body"], answer["status"])
    asked = await request.json()
    if asked != {"companyId": COMPANY_ID, "locationId": grants.location_id}:
        return JSONResponse({"statusCode": 400, "message": "Location not found"}, 400)
    body = grants.issue("Location", grants.location_id)
    del body["refresh_token"]
    return JSONResponse(body, 201)
