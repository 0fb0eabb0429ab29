"""What anyone may read of the API: its OpenAPI document and its documentation."""

import asyncio
from dataclasses import dataclass

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lib.settings import Settings
from webhook_receiver.api.serving import JSON


@dataclass(frozen=True)
class Page:
    """A document as it is sent."""

    body: bytes
    media_type: str
    headers: dict[str, str]


class Documents:
    """Both documents, made when the first of them is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pages: dict[str, Page] = {}

    async def get(self, path: str) -> Page:
        """Return a document."""
        if not self._pages:
            self._pages = await asyncio.to_thread(self._make)
        return self._pages[path]

    def _make(self) -> dict[str, Page]:
        # They load a library of 100 modules that nothing else here needs.
        from webhook_receiver.api.docs_page import CONTENT_POLICY, draw_page
        from webhook_receiver.api.openapi import build_document

        document = build_document(self._settings)
        guards = {"content-security-policy": CONTENT_POLICY, "x-content-type-options": "nosniff"}
        return {
            "/api/openapi.json": Page(orjson.dumps(document), JSON, {}),
            "/api/docs": Page(draw_page(document).encode(), "text/html", guards),
        }


PATHS = ("/api/openapi.json", "/api/docs")


class DocumentEndpoint:
    """Serves one document as a bare ASGI application."""

    def __init__(self, documents: Documents, path: str, other: ASGIApp) -> None:
        self._documents = documents
        self._path = path
        self._other = other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD; leave other methods to the application for them."""
        if scope["method"] not in ("GET", "HEAD"):
            await self._other(scope, receive, send)
            return
        page = await self._documents.get(self._path)
        response = Response(page.body, headers=page.headers, media_type=page.media_type)
        await response(scope, receive, send)
