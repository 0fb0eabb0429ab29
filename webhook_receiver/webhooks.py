"""The routes that providers post to, in both address forms."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from lib.endpoints import Endpoint
from lib.errors import NotFound
from lib.providers.base import Answer, InboundRequest, Provider
from lib.providers.registry import find_provider
from lib.settings import Settings
from webhook_receiver.directory import LiveDirectory
from webhook_receiver.intake import Arrival, Intake, Refusal, choose_claimant
from webhook_receiver.requests import BodyTooLarge, client_address, read_body, to_inbound


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

    async def by_token(self, request: Request) -> Response:
        """Take a request at `/api/webhooks/{service}/{token}`."""
        provider = _provider(request)
        endpoint = await self.directory.find(provider.slug, request.path_params["token"])
        _check_method(request, provider)
        try:
            body = await read_body(request, self.settings.max_body_bytes)
        except BodyTooLarge as error:
            await self._refuse_size(request, endpoint, error)
            raise
        inbound = to_inbound(request, body, self.settings)
        return _response(await self.intake.accept(self._arrival(request, endpoint, inbound)))

    async def by_account(self, request: Request) -> Response:
        """Take a request at `/api/webhooks/{service}` by the account that it states."""
        provider = _provider(request)
        _check_method(request, provider)
        body = await read_body(request, self.settings.max_body_bytes)
        inbound = to_inbound(request, body, self.settings)
        claimants = await self.directory.claimants(provider.slug, provider.stated_accounts(inbound))
        endpoint = choose_claimant(claimants, inbound, self.settings)
        return _response(await self.intake.accept(self._arrival(request, endpoint, inbound)))

    def _arrival(self, request: Request, endpoint: Endpoint, inbound: InboundRequest) -> Arrival:
        source_ip = client_address(request, self.settings.trusted_proxies)
        return Arrival(endpoint, inbound, source_ip)

    async def _refuse_size(self, request: Request, endpoint: Endpoint, error: BodyTooLarge) -> None:
        most = self.settings.max_body_bytes
        facts = {"most_bytes": str(most), "announced_bytes": str(error.announced or "not stated")}
        message = (
            f"The body is larger than {most} bytes, so it was not read. Send less, or raise "
            "HUB_MAX_BODY_BYTES."
        )
        inbound = to_inbound(request, b"", self.settings)
        refusal = Refusal(413, "too_large", message, facts)
        await self.intake.refuse(self._arrival(request, endpoint, inbound), refusal)


def _provider(request: Request) -> Provider:
    provider = find_provider(request.path_params["service"])
    if provider is None:
        raise NotFound("There is no such service.")
    return provider


def _check_method(request: Request, provider: Provider) -> None:
    if request.method not in provider.methods:
        raise MethodNotAllowed(provider.methods)


def _response(answer: Answer) -> Response:
    headers = {"content-type": answer.content_type} if answer.content_type else None
    return Response(answer.body, answer.status, headers)
