"""The recorded answers and requests that fakes and tests share."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "vectors"


def load(name: str) -> Any:
    """Return the parsed vector file `name`, without its ending."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
