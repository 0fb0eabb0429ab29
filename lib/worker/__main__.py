"""Runs one worker: `python -m lib.worker`."""

import asyncio
import signal
import sys

import structlog
import uvloop

from lib.collector import settle_collector
from lib.courier.sender import CourierSender
from lib.errors import ConfigError
from lib.hub import Hub, open_hub
from lib.log import configure_logging
from lib.settings import load_settings
from lib.worker.loop import Worker

log = structlog.get_logger()

# The event loop and the database's thread hand the interpreter to each other with each step; at
# the default of 5 ms a busy one would hold up every request of the other.
_SWITCH_SECONDS = 0.0005
# An attempt must end well within its lease, or another worker would make it again.
_LONGEST_ATTEMPT_SECONDS = 30.0


def main() -> int:
    """Work until SIGINT or SIGTERM; return the exit status."""
    configure_logging()
    try:
        hub = open_hub(load_settings())
    except ConfigError as error:
        log.error("not_started", why=error.message)
        return 1
    sys.setswitchinterval(_SWITCH_SECONDS)
    settle_collector(10_000, 10, 10)
    try:
        uvloop.run(_work(hub))
    finally:
        hub.close()
    return 0


async def _work(hub: Hub) -> None:
    total_seconds = min(_LONGEST_ATTEMPT_SECONDS, hub.settings.delivery_lease_seconds / 2)
    async with CourierSender(hub.settings, total_seconds) as sender:
        worker = Worker(hub, sender)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, worker.stop)
        log.info("worker_started")
        await worker.run()


if __name__ == "__main__":
    sys.exit(main())
