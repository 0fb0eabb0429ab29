"""The report of a month: its main figures, and the documents to take away."""

from collections.abc import Callable

import streamlit as st

from lib.clock import now
from lib.reports.downloads import FORMATS, Wanted, make_report, media_type
from lib.ui.analytics.view import View

_LABELS = {"html": "Report to print (HTML)", "csv": "Report as a table (CSV)"}
_ICONS = {"html": ":material/description:", "csv": ":material/table:"}


def draw_report(view: View) -> None:
    """Draw the buttons that make the report of the period's month."""
    local = view.period.since.astimezone(view.period.zone)
    if not view.period.months:
        local = now().astimezone(view.period.zone)
    month = f"{local:%Y-%m}"
    with st.container(border=True):
        st.subheader(f"Report of {local:%B %Y}", anchor=False)
        st.markdown(
            "Volumes, service level, latency, causes of failure, incidents, and a line for each "
            "integration and destination, compared with the month before. The page holds "
            "everything it needs, so it can be mailed or printed."
        )
        st.caption(
            "It is of the whole month and of everything you may see; of the filters above only "
            "the month and the member count."
            if view.filters.member_id or view.actor.sees_all
            else "It is of the whole month and of all your integrations. Choose another month "
            "above."
        )
        with st.container(horizontal=True):
            for kind in FORMATS:
                wanted = Wanted(month, kind, view.period.zone, view.filters.member_id)
                st.download_button(
                    _LABELS[kind],
                    _maker(view, wanted),
                    file_name=f"report-{month}.{kind}",
                    mime=media_type(kind),
                    key=f"analytics_report_{kind}",
                    icon=_ICONS[kind],
                    type="primary" if kind == FORMATS[0] else "secondary",
                    on_click="ignore",
                )


def _maker(view: View, wanted: Wanted) -> Callable[[], str]:
    """Return what makes the document when it is asked for, and not at each look."""
    return lambda: make_report(view.hub, view.actor, wanted)
