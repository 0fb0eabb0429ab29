"""The public status pages and badges: small self-contained documents, escaped, read-only."""

import asyncio
from datetime import datetime, timedelta
from html import escape

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib.clock import now
from lib.connections.status_pages import Day, PublicStatus, public_status
from lib.hub import Hub
from webhook_receiver.problems import problem
from webhook_receiver.requests import client_address

_PAGE = "/status/{key}"
_BADGE = "/status/{key}/badge.svg"
_KEPT = timedelta(seconds=60)
_PER_SENDER = RateLimitItemPerMinute(120)
_WORDS = {
    "operational": ("Operational", "#0F6B45"),
    "degraded": ("Degraded", "#96430B"),
    "paused": ("Paused", "#525B70"),
    "waiting": ("Waiting for the first event", "#1F56A8"),
}
_HEADERS = {
    "cache-control": "public, max-age=60",
    # Nothing is loaded from elsewhere and nothing runs, whatever a name holds.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}
_STYLE = (
    ":root{color-scheme:light dark;--line:#D6DBE6;--soft:#525B70;--good:#0F8A57;--some:#C46A12;"
    "--none:#C9CFDC}"
    "@media(prefers-color-scheme:dark){:root{--line:#2E3547;--soft:#A9B1C4;--good:#3FBF85;"
    "--some:#F0A456;--none:#3A4256}}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:0 auto;padding:2.5rem 1rem}"
    "h1{font-size:1.5rem;margin:0 0 .5rem;overflow-wrap:anywhere}"
    ".state{display:inline-block;color:#fff;padding:.2rem .7rem;border-radius:.5rem}"
    "dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:1rem}"
    "dl{margin:2rem 0}"
    "dl div{border:1px solid var(--line);border-radius:.5rem;padding:.7rem 1rem}"
    "dt,p{color:var(--soft);font-size:.875rem}dd{margin:0;font-size:1.4rem}"
    "svg{width:100%;height:3.5rem}.good{fill:var(--good)}.some{fill:var(--some)}"
    ".none{fill:var(--none)}"
)
_BAR, _GAP, _HEIGHT = 8, 2, 40


class StatusPages:
    """Serves what owners share of their connections; an unknown key is a plain 404.

    What was found is kept for a minute, so that a much visited page costs the database little.
    There are no more of these than shared pages, for an unknown key is not kept.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._kept: dict[str, tuple[datetime, PublicStatus]] = {}

    def routes(self) -> list[Route]:
        """Return the routes of page and badge."""
        return [Route(_PAGE, self.show_page), Route(_BADGE, self.show_badge)]

    async def show_page(self, request: Request) -> Response:
        """Answer with the page; NotFound goes on to the exception map."""
        found = await self._find(request)
        if isinstance(found, Response):
            return found
        return Response(_page(found), headers=_HEADERS, media_type="text/html")

    async def show_badge(self, request: Request) -> Response:
        """Answer with the state as a picture; NotFound goes on to the exception map."""
        found = await self._find(request)
        if isinstance(found, Response):
            return found
        return Response(_badge(found), headers=_HEADERS, media_type="image/svg+xml")

    async def _find(self, request: Request) -> PublicStatus | Response:
        trusted = self._hub.settings.trusted_proxies
        sender = client_address(request.scope, dict(request.headers), trusted=trusted)
        if not self._limiter.hit(_PER_SENDER, "sender", sender):
            return problem(429, "Too many requests. Try again.", **{"retry-after": "60"})
        key = request.path_params["key"]
        kept_at, found = self._kept.get(key, (None, None))
        if found is not None and kept_at is not None and now() < kept_at + _KEPT:
            return found
        self._kept.pop(key, None)
        try:
            found = await asyncio.to_thread(public_status, self._hub, key)
        except DBAPIError:
            return problem(503, "The database does not answer. Try again in a minute.")
        self._kept[key] = now(), found
        return found


def _page(found: PublicStatus) -> str:
    word, colour = _WORDS[found.state]
    name = escape(found.name)
    month = Day(found.days[-1].day, *(sum(each) for each in zip(*map(_counts, found.days))))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: {word}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{name}</h1><span class="state" style="background:{colour}">{word}</span><dl>'
        f"{_fact('Received, 24 h', f'{found.last_day.received:,}')}"
        f"{_fact('Accepted, 24 h', _percent(found.last_day))}"
        f"{_fact('Received, 30 days', f'{month.received:,}')}"
        f"{_fact('Accepted, 30 days', _percent(month))}</dl>"
        f"{_bars(found)}<p>One bar per day, the last one is today (UTC). "
        "Green: all requests were accepted; orange: some were refused; grey: none came.</p>"
        "</main></body></html>"
    )


def _fact(label: str, value: str) -> str:
    return f"<div><dt>{label}</dt><dd>{value}</dd></div>"


def _bars(found: PublicStatus) -> str:
    width = len(found.days) * (_BAR + _GAP) - _GAP
    bars = "".join(_bar(index * (_BAR + _GAP), day) for index, day in enumerate(found.days))
    return (
        f'<svg viewBox="0 0 {width} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="Accepted requests by day, {len(found.days)} days">{bars}</svg>'
    )


def _bar(x: int, day: Day) -> str:
    kind = "none" if day.share is None else "good" if not day.rejected else "some"
    text = f"{day.day.isoformat()}: {day.received:,} received, {_percent(day)} accepted"
    return (
        f'<rect class="{kind}" x="{x}" width="{_BAR}" height="{_HEIGHT}" rx="2">'
        f"<title>{text}</title></rect>"
    )


def _badge(found: PublicStatus) -> str:
    word, colour = _WORDS[found.state]
    width = 20 + 7 * len(word)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="22" role="img" '
        f'aria-label="{word}"><title>{escape(found.name)}: {word}</title>'
        f'<rect width="{width}" height="22" rx="5" fill="{colour}"/>'
        f'<text x="{width / 2:g}" y="15" fill="#FFFFFF" text-anchor="middle" '
        f'font-family="system-ui,sans-serif" font-size="12">{word}</text></svg>'
    )


def _counts(day: Day) -> tuple[int, int]:
    return day.received, day.rejected


def _percent(day: Day) -> str:
    # Rounded down: 100% means all of them.
    return "–" if day.share is None else f"{int(day.share * 1_000) / 10:g}%"
