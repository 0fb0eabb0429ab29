"""Where the delivery benchmark's requests end: a server that answers as its path says."""

import asyncio
import sys
from typing import Any

import uvicorn


class Sink:
    """Answers 200 at /quick, 503 at /overloaded, and never at /hung; counts what came to /quick."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        status = 200
        if scope["path"] == "/quick":
            self.count += 1
        elif scope["path"] == "/overloaded":
            status = 503
        elif scope["path"] == "/hung":
            await asyncio.sleep(3600)
        body = b"ok" if scope["path"] != "/count" else str(self.count).encode()
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


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
