"""Backups: the list, one now, the daily one, whether they restore, and how to restore."""

from pathlib import Path

import streamlit as st

from lib.access import Actor
from lib.backups.book import BackupView, back_up_now, list_backups, missing_program, prove_backup
from lib.backups.schedule import (
    LAST_HOUR,
    MOST_KEPT,
    Schedule,
    get_schedule,
    next_due,
    set_schedule,
)
from lib.errors import HubError
from lib.hub import Hub
from lib.quantities import byte_size
from lib.ui.form_problems import draw_other_problem, draw_problem, forget_problem, keep_problem
from lib.ui.formats import absolute, ago, counted, plain
from lib.ui.telling import do_and_tell

_PAGE = "settings_backups"
_SHOWN = 10


def draw_backups(hub: Hub, user: Actor) -> None:
    """Draw the schedule, the list and the way back."""
    missing = missing_program(hub)
    if missing:
        st.warning(missing, icon=":material/warning:")
    schedule = get_schedule(hub, user)
    with st.container(horizontal=True, vertical_alignment="center"):
        due = next_due(schedule)
        said = f"The next daily backup is due at {absolute(due)}." if due else "No daily backup."
        st.markdown(f"**{said}**", width="stretch")
        is_asked = st.button(
            "Back up now",
            icon=":material/backup:",
            key="settings_backups_now",
            disabled=missing is not None,
        )
    # Not in a callback, which runs before anything is drawn: a big hub takes minutes.
    if is_asked:
        with st.spinner("Writing the backup. It goes on if you leave this screen.", show_time=True):
            _back_up(hub, user, schedule.folder)
        st.rerun()
    _draw_list(hub, user)
    _draw_form(hub, user, schedule)
    st.subheader("How to restore", anchor=False)
    st.markdown("Stop the hub's processes, put the master keys in place, then run:")
    st.code("python -m lib.cli restore FILE", language="bash")
    st.caption("Master keys are never in a backup: keep them elsewhere, for it is lost without.")


def _draw_list(hub: Hub, user: Actor) -> None:
    rows = list_backups(hub, user)
    if not rows:
        st.info("No backup was made yet. Make one now, then test it.", icon=":material/backup:")
    for row in rows[:_SHOWN]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _draw_row(hub, user, row)


def _draw_row(hub: Hub, user: Actor, row: BackupView) -> None:
    with st.container(gap=None, width="stretch"):
        st.markdown(f"{_chip(row)} {ago(row.started_at)}, {byte_size(row.bytes or 0)}")
        st.caption(plain(row.path), help=absolute(row.started_at))
        if row.error:
            st.caption(f":red[{plain(row.error)}]")
    is_asked = st.button(
        "Test restore",
        key=f"settings_backups_test_{row.id}",
        disabled=row.finished_at is None or not row.is_there,
    )
    if is_asked:
        with st.spinner("Restoring it beside the hub.", show_time=True):
            _prove(hub, user, row.id)
        st.rerun()


def _chip(row: BackupView) -> str:
    if row.error:
        return ":red-badge[Failed]"
    if row.finished_at is None:
        return ":orange-badge[Under way]"
    if not row.is_there:
        return ":gray-badge[File is gone]"
    return ":green-badge[Restores]" if row.tested_at else ":gray-badge[Not tested]"


def _draw_form(hub: Hub, user: Actor, stored: Schedule) -> None:
    with st.form("settings_backups_form", enter_to_submit=False):
        st.markdown("**Daily backup**")
        st.caption("A worker makes it, tests that it restores, and removes the oldest.")
        draw_other_problem(_PAGE, ("folder", "hour", "keep"))
        st.toggle("Make one every day", value=stored.is_on, key=_key("on"))
        left, right = st.columns(2)
        left.number_input("Hour (UTC)", 0, LAST_HOUR, value=stored.hour, step=1, key=_key("hour"))
        right.number_input("Keep", 1, MOST_KEPT, value=stored.keep, step=1, key=_key("keep"))
        st.text_input("Folder on the worker's machine", value=stored.folder, key=_key("folder"))
        for name in ("folder", "hour", "keep"):
            draw_problem(_PAGE, name)
        st.form_submit_button(
            "Save schedule", key="settings_backups_save", on_click=_save, args=(hub, user)
        )


def _save(hub: Hub, user: Actor) -> None:
    given = {name: st.session_state.get(_key(name)) for name in ("on", "hour", "folder", "keep")}
    draft = Schedule(
        bool(given["on"]), int(given["hour"] or 0), str(given["folder"]), int(given["keep"] or 1)
    )
    try:
        set_schedule(hub, user, draft)
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    forget_problem(_PAGE)
    do_and_tell(lambda: "Saved. The first is made at its next time.")


def _back_up(hub: Hub, user: Actor, folder: str) -> None:
    def act() -> str:
        made = back_up_now(hub, user, Path(folder))
        return f"Made a backup of {byte_size(made.bytes or 0)}. Test it now."

    do_and_tell(act)


def _prove(hub: Hub, user: Actor, backup_id: str) -> None:
    def act() -> str:
        proof = prove_backup(hub, user, backup_id)
        return (
            f"It restores: {counted(proof.users, 'user')}, "
            f"{counted(proof.integrations, 'integration')}, {counted(proof.events, 'event')}."
        )

    do_and_tell(act)


def _key(name: str) -> str:
    return f"settings_backups_{name}"
