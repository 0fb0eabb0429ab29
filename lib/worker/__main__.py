"""Runs one worker: `python -m lib.worker`."""

import signal
import sys

import structlog

from lib.errors import ConfigError
from lib.hub import open_hub
from lib.log import configure_logging
from lib.settings import load_settings
from lib.worker.loop import Worker

log = structlog.get_logger()


def main() -> int:
    """Work until SIGINT or SIGTERM; return the exit status."""
    configure_logging()
    try:
        hub = open_hub(load_settings())
    except ConfigError as error:
        log.error("not_started", why=error.message)
        return 1
    worker = Worker(hub)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: worker.stop())
    log.info("worker_started")
    worker.run()
    hub.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
