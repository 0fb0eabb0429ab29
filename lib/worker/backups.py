"""The worker's part in backups: the process of its own that makes the one which is due."""

import asyncio
import os
import sys
from collections.abc import Mapping

import structlog

from lib.settings import Settings

log = structlog.get_logger()

LOOK_SECONDS = 60.0


async def run_backup(settings: Settings) -> None:
    """Run `python -m lib.cli backup-due` to its end; it is ended with the worker."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lib.cli", "backup-due", env=_environment(settings)
    )
    try:
        status = await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        raise
    if status:
        log.warning("backup_failed", status=status)


def _environment(settings: Settings) -> Mapping[str, str]:
    """Return this process's environment with the settings that a backup goes by."""
    keys = settings.master_keys.get_secret_value() if settings.master_keys else ""
    return {
        **os.environ,
        "HUB_DATABASE_URL": settings.database_url.get_secret_value(),
        "HUB_MASTER_KEYS": keys,
        "HUB_KEY_FILE": str(settings.key_file.absolute()),
    }
