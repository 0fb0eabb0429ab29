"""The assembly of the receiver: routes, exception map, and what runs beside them."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from lib.hub import Hub
from lib.intake.endpoints import EndpointDirectory
from lib.intake.sinks import open_sink
from lib.intake.writer import GroupCommitWriter
from webhook_receiver.directory import LiveDirectory
from webhook_receiver.health import Health
from webhook_receiver.intake import Intake
from webhook_receiver.laboratory import PATH as LAB_PATH
from webhook_receiver.laboratory import TrialRoute
from webhook_receiver.late_api import LateApi
from webhook_receiver.metrics import Metrics
from webhook_receiver.oauth import CALLBACK, OAuthCallback
from webhook_receiver.problems import EXCEPTION_MAP
from webhook_receiver.requests import public_prefix
from webhook_receiver.status import StatusPages
from webhook_receiver.webhooks import WebhookRoute, Webhooks

log = structlog.get_logger()

# GET is routed for every service, so that a person who opens the address hears why not.
_METHODS = ["GET", "POST"]
_BY_TOKEN = "/api/webhooks/{service}/{token}"  # noqa: S105 - the form of an address
_BY_ACCOUNT = "/api/webhooks/{service}"


def create_app(hub: Hub) -> Starlette:
    """Return the receiver of `hub`; it closes neither the hub nor its database."""
    metrics = Metrics()
    writer = GroupCommitWriter(open_sink(hub.database))
    known = EndpointDirectory(hub)
    directory = LiveDirectory(known)
    api = LateApi(hub)
    webhooks = Webhooks(hub.settings, directory, Intake(hub.settings, writer, metrics))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(known.refresh)
        tasks = [asyncio.create_task(writer.run()), asyncio.create_task(directory.keep_fresh())]
        for task in tasks:
            task.add_done_callback(_end_process_on_failure)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        api.close()
        await asyncio.to_thread(writer.close)

    routes = [
        *_routes(webhooks, Health(hub, metrics)),
        Route(CALLBACK, OAuthCallback(hub).answer),
        Route(LAB_PATH, TrialRoute(hub)),
        *StatusPages(hub).routes(),
        Mount("/api", api),
    ]
    prefix = public_prefix(hub.settings)
    if prefix:
        routes.append(Mount(prefix, routes=list(routes)))
    return Starlette(routes=routes, exception_handlers=EXCEPTION_MAP, lifespan=lifespan)


def _end_process_on_failure(task: "asyncio.Task[None]") -> None:
    """End a receiver that can no longer store, so that its supervisor starts a new one."""
    if task.cancelled():
        return
    log.critical("receiver_cannot_go_on", exc_info=task.exception())
    signal.raise_signal(signal.SIGTERM)


def _routes(webhooks: Webhooks, health: Health) -> list[BaseRoute]:
    return [
        Route(_BY_TOKEN, WebhookRoute(webhooks.by_token), methods=_METHODS),
        Route(_BY_ACCOUNT, WebhookRoute(webhooks.by_account), methods=_METHODS),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.show_metrics),
    ]
