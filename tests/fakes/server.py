"""Serves a fake vendor on a free loopback port for the length of a block."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.applications import Starlette


@contextmanager
def running(app: Starlette, *, has_lifespan: bool = False) -> Iterator[str]:
    """Serve `app` and yield its base URL; the hub's own receiver has a lifespan to end."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    lifespan: Literal["on", "off"] = "on" if has_lifespan else "off"
    config = uvicorn.Config(app, log_level="critical", lifespan=lifespan, ws="none", loop="asyncio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the fake did not start")
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        # A client that hangs must not hold the tests.
        server.force_exit = not has_lifespan
        thread.join(10)
        listener.close()
