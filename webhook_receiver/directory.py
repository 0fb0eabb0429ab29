"""The endpoint directory on the event loop: kept fresh, and asked again for strangers."""

import asyncio
from collections.abc import Sequence

import structlog

from lib.errors import NotFound, StorageUnavailable
from lib.intake.endpoints import Endpoint, EndpointDirectory

log = structlog.get_logger()

REFRESH_SECONDS = 1.0


class LiveDirectory:
    """Known endpoints are found in memory; only an unknown one costs a look at the database.

    All unknown requests that arrive together share one look, so guessing tokens cannot
    load the database.
    """

    def __init__(self, directory: EndpointDirectory) -> None:
        self._directory = directory
        self._turn = asyncio.Lock()
        self._started = 0

    def recall(self, service_name: str, token: str) -> Endpoint | None:
        """Return the endpoint of a token if it is in memory."""
        return self._directory.find(service_name, token)

    async def find(self, service_name: str, token: str) -> Endpoint:
        """Return the endpoint of a token; raise NotFound, or StorageUnavailable when unsure."""
        await self.refresh()
        endpoint = self._directory.find(service_name, token)
        if endpoint is None:
            raise NotFound("There is no such address. Copy it again from the integration.")
        return endpoint

    async def claimants(self, service_name: str, accounts: Sequence[str]) -> list[Endpoint]:
        """Return who set up one of the accounts; raise NotFound if nobody did."""
        found = self._directory.claimants(service_name, accounts)
        if not found and accounts:
            await self.refresh()
            found = self._directory.claimants(service_name, accounts)
        if not found:
            raise NotFound("No integration is set up for this account.")
        return found

    async def refresh(self) -> None:
        """Return after a look at the database that began after this call."""
        arrived = self._started
        async with self._turn:
            if self._started > arrived:
                return
            self._started += 1
            await asyncio.to_thread(self._directory.refresh)

    async def keep_fresh(self) -> None:
        """Refresh every second until cancelled; what is known stays while the database is gone."""
        was_well = True
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
            except StorageUnavailable as error:
                if was_well:
                    log.warning("directory_not_refreshed", why=error.message)
                was_well = False
            else:
                was_well = True
