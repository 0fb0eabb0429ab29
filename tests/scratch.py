"""Where tests write what they throw away: in memory, where that has room."""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 1024**3


def scratch_folder() -> str:
    """Return the folder for what no one keeps.

    A database of a test's own is some hundred files, and most of its cost is the disk's
    bookkeeping. A container may have a few megabytes of such memory or none.
    """
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and _free(_MEMORY) >= _ROOM:
        return str(_MEMORY)
    return "/tmp"


def use_scratch_folder() -> None:
    """Put every temporary file of this process and its children there, unless TMPDIR is set."""
    os.environ.setdefault("TMPDIR", scratch_folder())
    tempfile.tempdir = None


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
