"""The routes that providers post to, in both address forms."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from lib.errors import NotFound
from lib.intake.endpoints import Endpoint
from lib.providers.base import Answer, InboundRequest, Provider
from lib.providers.registry import find_provider
from lib.settings import Settings
from webhook_receiver.directory import LiveDirectory
from webhook_receiver.intake import Arrival, Intake, Refusal, choose_claimant
from webhook_receiver.requests import (
    BodyTooLarge,
    client_address,
    read_body,
    read_headers,
    to_inbound,
)

_NO_CONTENT = 204


class MethodNotAllowed(Exception):
    """The provider does not send with this method."""

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__()
        self.allowed = allowed


@dataclass(frozen=True)
class Webhooks:
    """Holds what every request needs and nothing of any request."""

    settings: Settings
    directory: LiveDirectory
    intake: Intake

    async def by_token(self, scope: Scope, receive: Receive) -> Answer:
        """Take a request at `/api/webhooks/{service}/{token}`."""
        provider = _provider(scope)
        token = scope["path_params"]["token"]
        endpoint = self.directory.recall(provider.slug, token)
        if endpoint is None:
            endpoint = await self.directory.find(provider.slug, token)
        _check_method(scope, provider)
        headers = read_headers(scope)
        try:
            body = await read_body(receive, headers, most_bytes=self.settings.max_body_bytes)
        except BodyTooLarge as error:
            unread = to_inbound(scope, self.settings, headers=headers, body=b"")
            await self._refuse_size(self._arrival(scope, endpoint, unread), error)
            raise
        inbound = to_inbound(scope, self.settings, headers=headers, body=body)
        return await self.intake.accept(self._arrival(scope, endpoint, inbound))

    async def by_account(self, scope: Scope, receive: Receive) -> Answer:
        """Take a request at `/api/webhooks/{service}` by the account that it states."""
        provider = _provider(scope)
        _check_method(scope, provider)
        headers = read_headers(scope)
        body = await read_body(receive, headers, most_bytes=self.settings.max_body_bytes)
        inbound = to_inbound(scope, self.settings, headers=headers, body=body)
        claimants = await self.directory.claimants(provider.slug, provider.stated_accounts(inbound))
        endpoint = choose_claimant(claimants, inbound, self.settings)
        return await self.intake.accept(self._arrival(scope, endpoint, inbound))

    def _arrival(self, scope: Scope, endpoint: Endpoint, inbound: InboundRequest) -> Arrival:
        trusted = self.settings.trusted_proxies
        return Arrival(endpoint, inbound, client_address(scope, inbound.headers, trusted=trusted))

    async def _refuse_size(self, arrival: Arrival, error: BodyTooLarge) -> None:
        most = self.settings.max_body_bytes
        facts = {"most_bytes": str(most), "announced_bytes": str(error.announced or "not stated")}
        message = (
            f"The body is larger than {most} bytes, so it was not read. Send less, or raise "
            "HUB_MAX_BODY_BYTES."
        )
        await self.intake.refuse(arrival, Refusal(413, "too_large", message, facts))


class WebhookRoute:
    """Serves one form of the address as a bare ASGI application.

    Starlette's own wrapping of a function, with its Request, Response and a second exception
    map inside the first, would take a tenth of the time that a webhook has.
    """

    def __init__(self, take: Callable[[Scope, Receive], Awaitable[Answer]]) -> None:
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; errors go on to the receiver's exception map."""
        answer = await self._take(scope, receive)
        headers = [] if answer.status == _NO_CONTENT else [_length(answer.body)]
        if answer.content_type:
            headers.append((b"content-type", answer.content_type.encode()))
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})


def _provider(scope: Scope) -> Provider:
    provider = find_provider(scope["path_params"]["service"])
    if provider is None:
        raise NotFound("There is no such service.")
    return provider


def _check_method(scope: Scope, provider: Provider) -> None:
    if scope["method"] not in provider.methods:
        raise MethodNotAllowed(provider.methods)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)
