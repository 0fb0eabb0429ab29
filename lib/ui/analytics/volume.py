"""The figures on top and the volume chart, in which a time and a service can be chosen."""

from collections.abc import Sequence
from datetime import UTC, datetime

import altair as alt
import streamlit as st

from lib.analytics.figures import Figures, change, figures
from lib.analytics.periods import Period
from lib.analytics.volume import VolumePoint, volume
from lib.providers.registry import all_providers
from lib.ui.address_fields import write_address
from lib.ui.analytics.panels import (
    FULL_FORMAT,
    HEIGHT,
    data_of,
    draw_empty,
    legend,
    panel,
    time_x,
)
from lib.ui.analytics.view import (
    NONCE,
    PAGE,
    View,
    activity_query,
    clear_focus,
    forget_focus,
    set_focus,
)
from lib.ui.durations import milliseconds
from lib.ui.formats import counted, service_label
from lib.ui.links import draw_link

_LAST = "analytics_volume_last"
_SERVICE = "service"
_PALE = 0.3
# A smaller change would be shown as none at all.
_LEAST_POINTS, _LEAST_SHARE = 0.05, 0.005


def draw_figures(view: View) -> None:
    """Draw the row of figures, each beside that of the span it is compared with."""
    found = figures(view.hub, view.actor, view.shown, view.filters)
    before = view.before
    old = figures(view.hub, view.actor, before, view.filters) if before else None
    with st.grid(5, min_column_width=150):
        _draw_count("Received", found.received, old.received if old else None)
        _draw_share(
            "First attempt", found.first_attempt_share, old.first_attempt_share if old else None
        )
        _draw_share("Delivered", found.delivered_share, old.delivered_share if old else None)
        _draw_latency(found, old)
        _draw_count("Dead", found.dead, old.dead if old else None, is_bad=True)
    if view.filters.service_name or view.filters.integration_id:
        st.caption(
            "Deliveries are counted by destination, so these are of all destinations that the "
            "chosen service or integration has routes to."
        )
    if before and old:
        was_quiet = not (old.received or old.delivered or old.dead)
        more = ", when nothing happened" if was_quiet else ""
        st.caption(f"Compared with {_in_words(before)}{more}.")


def draw_volume(view: View) -> None:
    """Draw what came in; what is chosen here narrows the rest of the screen."""
    points = volume(view.hub, view.actor, view.period, view.unserviced)
    with panel(
        "volume",
        "Volume",
        help_text="Drag over the bars to look at a part of the time, or choose a service in the "
        "legend. Everything else on this page follows.",
        table=lambda: [
            {"start": p.start.isoformat(), "service": p.service_name, "events": p.count}
            for p in points
        ],
    ):
        if not points:
            draw_empty(
                "Nothing was received in this period. Choose a longer one, or clear the filters."
            )
            return
        st.altair_chart(
            _chart(points, view),
            key=(key := f"analytics_volume_{st.session_state.setdefault(NONCE, 0)}"),
            on_select=lambda: _take_choice(key),
            selection_mode=["brush", "picked"],
            alt=f"Stacked bars: {counted(sum(p.count for p in points), 'event')} received, "
            "by service.",
        )
        _draw_focus(view)


def _draw_focus(view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if view.focus is None:
            st.caption("Drag over the bars to choose a time; choose a service in the legend.")
        else:
            st.badge(_in_words(view.focus), icon=":material/filter_alt:", color="blue")
            st.button(
                "Whole period",
                key="analytics_unfocus",
                icon=":material/close:",
                type="tertiary",
                on_click=clear_focus,
            )
        draw_link(
            "activity",
            "Open in Activity",
            query=activity_query(view),
            icon=":material/open_in_new:",
        )


def _chart(points: Sequence[VolumePoint], view: View) -> alt.Chart:
    brush = alt.selection_interval(name="brush", encodings=["x"])
    picked = alt.selection_point(name="picked", fields=["service"], bind="legend")
    chart: alt.Chart = (
        alt.Chart(data_of([_row(point, view) for point in points]))
        .mark_bar()
        .encode(
            x=time_x(view.period),
            x2="end:T",
            y=alt.Y("sum(events):Q", title="Events", axis=alt.Axis(tickMinStep=1, tickCount=5)),
            color=alt.Color("service:N", title=None, legend=legend()),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("start:T", title="From", format=FULL_FORMAT),
                alt.Tooltip("service:N", title="Service"),
                alt.Tooltip("sum(events):Q", title="Events", format=","),
            ],
        )
        .add_params(brush, picked)
        .properties(height=HEIGHT)
    )  # fmt: skip
    return chart


def _row(point: VolumePoint, view: View) -> dict[str, object]:
    is_in_time = view.focus is None or (
        point.start < view.focus.until and point.end > view.focus.since
    )
    is_of_service = view.filters.service_name in (None, point.service_name)
    # Bars end a little early, so that neighbours stay apart.
    return {
        "start": point.start.isoformat(),
        "end": (point.start + (point.end - point.start) * 0.9).isoformat(),
        "service": service_label(point.service_name),
        "events": point.count,
        "opacity": 1 if is_in_time and is_of_service else _PALE,
    }


def _take_choice(key: str) -> None:
    """Put what was chosen in the chart into the address; the other filters keep what they hold."""
    selection = st.session_state[key].selection
    ends = tuple(selection.get("brush", {}).get("start", ()))
    labels = tuple(item.get("service", "") for item in selection.get("picked", ()))
    last_ends, last_labels = st.session_state.get(_LAST, ((), ()))
    # People do one thing at a time, and a chart that was drawn anew has lost what was chosen in it.
    if labels and labels != last_labels:
        ends = ends or last_ends
    elif ends and ends != last_ends:
        labels = labels or last_labels
    st.session_state[_LAST] = (ends, labels)
    if ends != last_ends:
        _take_time(ends)
    if labels != last_labels:
        _take_service(labels)


def _take_time(ends: tuple[float, ...]) -> None:
    if len(ends) < 2:
        forget_focus()
        return
    since, until = (datetime.fromtimestamp(end / 1000, UTC) for end in (min(ends), max(ends)))
    set_focus(since, until)


def _take_service(labels: tuple[str, ...]) -> None:
    slugs = {provider.label: provider.slug for provider in all_providers()}
    slug = slugs.get(labels[0]) if labels else None
    write_address(PAGE, {_SERVICE: slug})


def _in_words(part: Period) -> str:
    since, until = (moment.astimezone(part.zone) for moment in (part.since, part.until))
    return f"{since:%d %b %H:%M} to {until:%d %b %H:%M}"


def _draw_count(label: str, new: int, old: int | None, *, is_bad: bool = False) -> None:
    st.metric(
        label,
        f"{new:,}",
        _grown(new, old),
        delta_color="inverse" if is_bad else "normal",
        border=True,
        height="stretch",
        help=None if old is None else f"Before: {old:,}.",
    )


def _draw_share(label: str, new: float | None, old: float | None) -> None:
    points = 0.0 if new is None or old is None else (new - old) * 100
    st.metric(
        label,
        "none" if new is None else f"{new:.1%}",
        f"{points:+.1f} points" if abs(points) >= _LEAST_POINTS else None,
        border=True,
        height="stretch",
        help=_SHARE_HELP[label] + ("" if old is None else f" Before: {old:.1%}."),
    )


def _draw_latency(found: Figures, old: Figures | None) -> None:
    p95, before = found.p95_milliseconds, old.p95_milliseconds if old else None
    st.metric(
        "Latency, p95",
        "none" if p95 is None else milliseconds(p95),
        _grown(p95, before),
        delta_color="inverse",
        border=True,
        height="stretch",
        help="95 of 100 attempts took no longer than this."
        + ("" if before is None else f" Before: {milliseconds(before)}."),
    )


def _grown(new: float | None, old: float | None) -> str | None:
    share = change(new, old)
    return f"{share:+.0%}" if share is not None and abs(share) >= _LEAST_SHARE else None


_SHARE_HELP = {
    "First attempt": "The share of deliveries that arrived at once.",
    "Delivered": "The share of finished deliveries that arrived, after retries too.",
}
