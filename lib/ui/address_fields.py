"""Widgets whose value stands in the address: reload, Back and shared links keep it.

Streamlit's own `bind` is not used. On the way to another screen it takes the bound parameters
along, refuses them there and so leaves the bare address of the first screen in the browser's
history (seen in 1.67), which is where Back then ends: without any filter.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lib.clock import now

Read = Callable[[Sequence[str]], object]
_WRITTEN = "address_written"
# Within this time a request may still carry the address from before a change.
_ON_THE_WAY_SECONDS = 5.0


def kept(
    page: str,
    parameter: str,
    read: Read,
    *,
    empty: object = None,
    drop: Collection[str] = (),
    then: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Return the arguments with which a widget shows a parameter of the address and keeps it.

    `read` gives the widget's value, None for one that it cannot show; `empty` is the value that
    the address leaves out. A change takes the parameters `drop` out too, and then calls `then`.
    The widget gets no value or default beside these.
    """
    _catch_up(page)
    key = f"{page}_{parameter}"
    found = read(st.query_params.get_all(parameter)) if parameter in st.query_params else None
    value = empty if found is None else found
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return {"key": key, "on_change": _keep, "args": (page, parameter, empty, tuple(drop), then)}


def write_address(page: str, changes: Mapping[str, str | None]) -> None:
    """Change parameters at once, as one step of the browser's history; None takes one out."""
    _catch_up(page)
    before = _address()
    after = {name: values for name, values in before.items() if name not in changes}
    after |= {name: [value] for name, value in changes.items() if value}
    if after == before:
        return
    st.query_params.from_dict(after)
    st.session_state[_WRITTEN] = (page, before, after, now().timestamp())


def arrive(page: str) -> None:
    """Take the address as it is if another screen was in view before."""
    if st.session_state.get(_WRITTEN, (page,))[0] != page:
        del st.session_state[_WRITTEN]


def text(values: Sequence[str]) -> str:
    """Read what stands there."""
    return values[-1]


def flag(values: Sequence[str]) -> bool:
    """Read yes or no."""
    return values[-1] == "true"


def one_of(options: Collection[str]) -> Read:
    """Return what reads one of these."""
    return lambda values: values[-1] if values[-1] in options else None


def some_of(options: Collection[str]) -> Read:
    """Return what reads any number of these, divided by commas."""

    def read(values: Sequence[str]) -> list[str]:
        named = [name for value in values for name in value.split(",")]
        return [name for name in dict.fromkeys(named) if name in options]

    return read


def number(least: float, most: float) -> Read:
    """Return what reads a number within these bounds, whole where the lower one is whole."""

    def read(values: Sequence[str]) -> float | None:
        try:
            given = float(values[-1])
        except ValueError:
            return None
        if math.isnan(given):
            return None
        return type(least)(max(least, min(most, given)))

    return read


def _keep(
    page: str,
    parameter: str,
    empty: object,
    drop: Sequence[str],
    then: Callable[[], None] | None,
) -> None:
    value = st.session_state[f"{page}_{parameter}"]
    written = None if value in (None, "", empty) else _written(value)
    write_address(page, {**dict.fromkeys(drop), parameter: written})
    if then is not None:
        then()


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _catch_up(page: str) -> None:
    """Write the address again where a request set out before the browser had heard of it.

    Who types and then presses at once sends two requests, the second with the old address.
    """
    where, before, after, at = st.session_state.get(_WRITTEN, (None, None, None, 0.0))
    is_recent = where == page and now().timestamp() - at < _ON_THE_WAY_SECONDS
    if is_recent and _address() == before and not _is_step_in_history():
        st.query_params.from_dict(after)


def _is_step_in_history() -> bool:
    """Say whether the browser's Back or Forward asked for this run, which means what it says."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def _address() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}
