"""The small picture of each service, for cards as SVG and for tables as a data address."""

from base64 import b64encode

import streamlit as st

from lib.providers.registry import find_provider

_SIZE = 28
# A service that is gone from the registry keeps its rows, under a plain tile.
_UNKNOWN = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="8" fill="#5B7083"/></svg>'
)


def mark_uri(slug: str) -> str:
    """Return a service's mark as a data address, as image columns take it."""
    return f"data:image/svg+xml;base64,{b64encode(_mark(slug).encode()).decode()}"


def draw_mark(slug: str, *, width: int = _SIZE) -> None:
    """Draw a service's mark; its name is always written beside it."""
    st.image(_mark(slug), width=width)


def _mark(slug: str) -> str:
    provider = find_provider(slug)
    return provider.mark() if provider else _UNKNOWN
