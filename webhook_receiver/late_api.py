"""The REST API, loaded with the first call: a hub that only takes webhooks need not hold it."""

import asyncio
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from lib.hub import Hub

if TYPE_CHECKING:
    from webhook_receiver.api.serving import Api


class LateApi:
    """What is mounted at /api; `close` ends the threads of an API that was loaded."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._api: Api | None = None
        self._router: ASGIApp | None = None
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await (self._router or await self._load())(scope, receive, send)

    def close(self) -> None:
        """Take no further calls."""
        if self._api is not None:
            self._api.close()

    async def _load(self) -> ASGIApp:
        async with self._turn:
            if self._router is not None:
                return self._router
            # In a thread, so that webhooks go on being taken meanwhile.
            self._api, router = await asyncio.to_thread(self._make)
            self._router = router
            return router

    def _make(self) -> "tuple[Api, ASGIApp]":
        from webhook_receiver.api.mount import make_router
        from webhook_receiver.api.serving import Api

        api = Api(self._hub)
        return api, make_router(api)
