"""A destination that takes everything and remembers what came."""

from collections import Counter
from typing import Any


class CountingSink:
    """Answers 200 and counts how often each delivery came."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        self.arrived[dict(scope["headers"])[b"webhook-id"].decode()] += 1
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})
