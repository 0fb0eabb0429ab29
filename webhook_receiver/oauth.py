"""Where a vendor sends the browser back to when a member has authorised an app.

The answer is a page for that person. Neither it nor its links repeat the code or the state.
"""

import asyncio
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response

from lib.errors import HubError, ProviderError
from lib.hub import Hub
from lib.providers.text import clean_text
from lib.settings import Settings
from lib.vendors import oauth

log = structlog.get_logger()

CALLBACK = "/api/oauth/callback"
_FAILED = "Not connected"
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    # The address that the browser is at holds the code.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p><p><a href="{url}">Back to the dashboard</a></p></body>
</html>
"""


@dataclass(frozen=True)
class OAuthCallback:
    """Ends what a member began in the dashboard."""

    hub: Hub

    async def answer(self, request: Request) -> Response:
        """Exchange the code and say in a page how it went."""
        query = request.query_params
        settings = self.hub.settings
        if refusal := query.get("error"):
            said = clean_text(query.get("error_description")) or clean_text(refusal) or "no reason"
            return _page(settings, 400, title=_FAILED, text=f"The service answered: {said}.")
        state, code = query.get("state", ""), query.get("code", "")
        try:
            installed = await asyncio.to_thread(
                oauth.complete_install, self.hub, state=state, code=code
            )
        except HubError as error:
            log.info("not_authorised", why=error.message)
            status = 502 if isinstance(error, ProviderError) and not error.permanent else 400
            return _page(settings, status, title=_FAILED, text=error.message)
        text = f"{installed.name} is connected. You can close this page."
        path = f"integrations?open={installed.integration_id}"
        return _page(settings, 200, title="Connected", text=text, path=path)


def dashboard_url(settings: Settings) -> str:
    """Return the dashboard's address: the public one, unless that is the receiver's own port."""
    parts = urlsplit(settings.public_url)
    if parts.port != settings.receiver_port:
        return settings.public_url
    host = parts.netloc.rpartition(":")[0]
    return f"{parts.scheme}://{host}:{settings.dashboard_port}"


def _page(
    settings: Settings, status: int, *, title: str, text: str, path: str = "integrations"
) -> Response:
    url = f"{dashboard_url(settings)}/{path}"
    body = _PAGE.format(title=escape(title), text=escape(text), url=escape(url))
    return Response(body, status, _HEADERS, media_type="text/html")
