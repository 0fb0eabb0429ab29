"""The sender of hooks, loaded with the first of them: a hub that sends none need not hold it."""

import asyncio
from contextlib import AsyncExitStack
from typing import Self

from lib.outgoing.exchange import Exchange, OutgoingRequest, Sender
from lib.settings import Settings


class LateSender:
    """An async context manager; `total_seconds` bounds one exchange."""

    def __init__(self, settings: Settings, total_seconds: float) -> None:
        self._settings = settings
        self._total_seconds = total_seconds
        self._sender: Sender | None = None
        self._stack = AsyncExitStack()
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Wait for the first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._stack.aclose()

    async def post(self, request: OutgoingRequest) -> Exchange:
        """Send one POST and return what came of it."""
        return await (self._sender or await self._load()).post(request)

    async def _load(self) -> Sender:
        async with self._turn:
            if self._sender is None:
                from lib.outgoing.hook_sender import HookSender

                sender = HookSender(self._settings.allowed_private_networks, self._total_seconds)
                self._sender = await self._stack.enter_async_context(sender)
        return self._sender
