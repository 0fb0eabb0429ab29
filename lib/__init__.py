"""Everything of Members Hub that is neither a screen nor an HTTP route."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(name: str) -> Iterator[None]:
    """Make a library look as if it were not installed, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # so the import system marks absence
    try:
        yield
    finally:
        del sys.modules[name]


# structlog colours consoles with rich wherever that is installed, as typer has it. Our logs are
# JSON lines, and rich would take 5 MB in every process.
with hidden("rich"):
    import structlog  # noqa: F401 - loaded here so that nobody loads it with rich
