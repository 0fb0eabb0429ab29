"""The routes that set and clear the session cookie: a Streamlit script can do neither."""

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib.people.sessions import LONGEST_LIFE, end_session_of_cookie, redeem_ticket
from lib.settings import Network
from lib.ui.people.session import COOKIE_NAME, LINK_COOKIE_NAME
from lib.ui.resources import get_hub, get_settings

_LINK_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")
_LINK_SECONDS = 900


def set_cookie(request: Request) -> Response:
    """Swap the page's one-time ticket for the cookie: 204, or 403."""
    cookie = None
    if is_same_origin(request):
        cookie = redeem_ticket(get_hub(), request.headers.get("X-Hub-Ticket", ""))
    if cookie is None:
        return Response(status_code=403)
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE_NAME,
        cookie,
        max_age=int(LONGEST_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_https(request, get_settings().trusted_proxies),
    )
    return response


def set_link(request: Request) -> Response:
    """Keep the token that stood behind the address's # for the next run: 204, or 403.

    An empty one drops it. The token travels in headers alone, which no access log holds.
    """
    if not is_same_origin(request):
        return Response(status_code=403)
    token = request.headers.get("X-Hub-Link", "")
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    if not _LINK_TOKEN.fullmatch(token):
        response.delete_cookie(LINK_COOKIE_NAME, httponly=True, samesite="strict")
        return response
    response.set_cookie(
        LINK_COOKIE_NAME,
        token,
        max_age=_LINK_SECONDS,
        httponly=True,
        samesite="strict",
        secure=is_https(request, get_settings().trusted_proxies),
    )
    return response


def clear_cookie(request: Request) -> Response:
    """End the cookie's session and drop the cookie: 204, or 403."""
    if not is_same_origin(request):
        return Response(status_code=403)
    cookie = request.cookies.get(COOKIE_NAME)
    if cookie:
        end_session_of_cookie(get_hub(), cookie)
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    response.delete_cookie(COOKIE_NAME, httponly=True, samesite="lax")
    return response


def is_same_origin(request: Request) -> bool:
    """Say whether a page of this dashboard sent the request.

    Browsers leave Sec-Fetch-Site out on plain http (W3C Fetch Metadata, section 2), where
    Origin, sent with every POST, has to name this host.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.headers.get("Host")


def is_https(request: Request, trusted_proxies: tuple[Network, ...]) -> bool:
    """Say whether the browser speaks https, as far as this server or its proxy can tell."""
    if request.url.scheme == "https":
        return True
    if request.client is None or request.headers.get("X-Forwarded-Proto") != "https":
        return False
    try:
        peer = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    return peer.is_loopback or any(peer in network for network in trusted_proxies)


ROUTES = (
    Route("/session", set_cookie, methods=["POST"]),
    Route("/session/link", set_link, methods=["POST"]),
    Route("/session/end", clear_cookie, methods=["POST"]),
)
