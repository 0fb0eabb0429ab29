"""What the worker is measured against: a plain aiohttp loop that posts the same bodies."""

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp
import uvloop

HEADERS = {"content-type": "application/json", "user-agent": "MembersHub/1"}


async def post_all(url: str, bodies: list[bytes], concurrency: int) -> float:
    """Post every body once and return how many were answered per second."""
    waiting = iter(bodies)
    started = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post_some() -> None:
            for body in waiting:
                async with session.post(url, data=body, headers=HEADERS) as answer:
                    await answer.read()
                    assert answer.status == 200

        await asyncio.gather(*(post_some() for _ in range(concurrency)))
    return len(bodies) / (time.perf_counter() - started)


def main() -> None:
    """`python -m bench.plain URL FILE CONCURRENCY`: FILE holds a JSON list of bodies."""
    url, path, concurrency = sys.argv[1:]
    bodies = [text.encode() for text in json.loads(Path(path).read_text())]
    print(uvloop.run(post_all(url, bodies, int(concurrency))))


if __name__ == "__main__":
    main()
