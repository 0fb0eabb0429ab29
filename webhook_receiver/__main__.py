"""Runs the receiver: `python -m webhook_receiver`."""

import sys

import structlog
import uvicorn

from lib.collector import settle_collector
from lib.errors import ConfigError
from lib.hub import Hub, open_hub
from lib.log import configure_logging
from lib.settings import load_settings
from webhook_receiver.app import create_app

log = structlog.get_logger()

# The writer's thread needs the interpreter for microseconds at a time; at the default of
# 5 ms a busy event loop would make every commit wait that long for it.
_SWITCH_SECONDS = 0.0005
# Less than the five seconds after which honcho kills.
_GRACE_SECONDS = 4


def main() -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    configure_logging()
    try:
        hub = open_hub(load_settings())
    except ConfigError as error:
        log.error("not_started", why=error.message)
        return 1
    try:
        _serve(hub)
    finally:
        hub.close()
    return 0


def _serve(hub: Hub) -> None:
    app = create_app(hub)
    sys.setswitchinterval(_SWITCH_SECONDS)
    settle_collector(20_000, 50, 50)
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104 - providers reach it from outside; a proxy may stand before it
        port=hub.settings.receiver_port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        # Uvicorn would believe X-Forwarded-For from loopback; HUB_TRUSTED_PROXIES decides here.
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
