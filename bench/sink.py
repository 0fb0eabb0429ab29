"""Where the delivery benchmark's requests end: a server that answers as its path says."""

import asyncio
import json
import sys
import time
from typing import Any

import uvicorn


class Sink:
    """Answers 200 at /quick, 503 at /overloaded, and never at /hung.

    GET /seen tells how many came to /quick, and in how many seconds; DELETE forgets them.
    """

    def __init__(self) -> None:
        self.times: list[float] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        while (await receive()).get("more_body"):
            pass
        status, body = 200, b"ok"
        if scope["path"] == "/quick":
            self.times.append(time.perf_counter())
        elif scope["path"] == "/overloaded":
            status = 503
        elif scope["path"] == "/hung":
            await asyncio.sleep(3600)
        elif scope["path"] == "/seen":
            body = self._tell()
            if scope["method"] == "DELETE":
                self.times.clear()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    def _tell(self) -> bytes:
        seconds = self.times[-1] - self.times[0] if self.times else 0.0
        return json.dumps({"count": len(self.times), "seconds": seconds}).encode()


def main() -> None:
    """Serve on the port given: `python -m bench.sink PORT`."""
    uvicorn.run(
        Sink(),
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
