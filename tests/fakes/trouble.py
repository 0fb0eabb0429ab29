"""Magic words that make any fake fail in a vendor's way; put one into a credential."""

import asyncio

from starlette.responses import JSONResponse, PlainTextResponse, Response

# Longer than the read timeout that tests set.
SLOW_SECONDS = 1.5


async def find_trouble(text: str) -> Response | None:
    """Answer for the first magic word in `text`: MAGIC429, MAGIC500, MAGICSLOW, MAGICBROKEN."""
    if "MAGIC429" in text:
        return JSONResponse({"message": "Too Many Requests"}, 429, {"Retry-After": "1"})
    if "MAGIC500" in text:
        return PlainTextResponse("Internal Server Error", 500)
    if "MAGICSLOW" in text:
        await asyncio.sleep(SLOW_SECONDS)
    if "MAGICBROKEN" in text:
        return PlainTextResponse("<html>{", 200)
    return None
