"""Magic words that make any fake fail in a vendor's way; put one into a credential."""

import asyncio

from starlette.responses import JSONResponse, PlainTextResponse, Response

# Longer than the read timeout that tests set.
SLOW_SECONDS = 1.5
BUSY_SECONDS = 900


async def find_trouble(text: str) -> Response | None:
    """Answer for the first magic word in `text`.

    MAGIC429, MAGICBUSY, MAGIC500, MAGICSLOW, MAGICBROKEN; a busy one asks to wait for long.
    """
    if "MAGIC429" in text:
        return JSONResponse({"message": "Too Many Requests"}, 429, {"Retry-After": "1"})
    if "MAGICBUSY" in text:
        headers = {"Retry-After": str(BUSY_SECONDS)}
        return JSONResponse({"message": "Too Many Requests"}, 429, headers)
    if "MAGIC500" in text:
        return PlainTextResponse("Internal Server Error", 500)
    if "MAGICSLOW" in text:
        await asyncio.sleep(SLOW_SECONDS)
    if "MAGICBROKEN" in text:
        return PlainTextResponse("<html>{", 200)
    return None
