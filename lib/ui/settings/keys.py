"""The master keys: which seals, what is under each, and sealing everything anew."""

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.ui.errors import show_refusal
from lib.ui.formats import counted
from lib.ui.resources import get_hub
from lib.ui.telling import do_and_tell
from lib.vault.key_rotation import KeyStatus, key_status, rotate_keys


def draw_keys(hub: Hub, user: Actor) -> None:
    """Draw the table of keys and the form that seals anew."""
    status = key_status(hub, user)
    source = "the key file" if status.is_from_file else "HUB_MASTER_KEYS"
    st.markdown(
        f"**The keys come from {source}; {counted(status.outdated, 'value')} under an older key.**"
    )
    st.dataframe(
        [
            {
                "id": row.id,
                "state": "Seals now" if row.seals_now else "Opens" if row.is_at_hand else "Missing",
                "sealed": row.sealed,
            }
            for row in status.keys
        ],
        key="settings_keys",
        hide_index=True,
        alt=f"{counted(len(status.keys), 'master key')} with how many values each seals.",
        column_config={"id": "Key id", "state": "State", "sealed": "Sealed values"},
    )
    st.caption("An id is the beginning of a key's SHA-256. The key itself is never shown.")
    if any(not row.is_at_hand for row in status.keys):
        st.error(
            "Some values are under a key that is not at hand. Put that key back, or enter the "
            "credentials again.",
            icon=":material/error:",
        )
    _draw_form(hub, user, status)


def _draw_form(hub: Hub, user: Actor, status: KeyStatus) -> None:
    with st.form("settings_keys_form", enter_to_submit=False, clear_on_submit=True):
        if status.is_from_file:
            st.markdown("A new key is put first in the key file, and everything is sealed with it.")
        else:
            st.markdown(
                "1. Put a new key first in HUB_MASTER_KEYS and keep the old ones behind it.\n"
                "2. Restart the hub's processes.\n"
                "3. Seal everything anew here. Keep the old keys for old backups."
            )
            st.code('echo "$(openssl rand -base64 32),$HUB_MASTER_KEYS"', language="bash")
        password = st.text_input("Your password", type="password", key="settings_keys_password")
        label = "Make a new key and seal anew" if status.is_from_file else "Seal anew"
        is_asked = st.form_submit_button(label, key="settings_keys_rotate")
    if is_asked:
        _rotate(hub, user, password)


def _rotate(hub: Hub, user: Actor, password: str) -> None:
    bar = st.progress(0.0, "Sealing…")

    def report(done: int, total: int) -> None:
        bar.progress(done / total, f"Sealed {done:,} of {total:,} rows")

    try:
        done = rotate_keys(hub, user, password=password, report=report)
    except HubError as error:
        bar.empty()
        show_refusal(error.message)
        return
    # The hub that was open seals with the key of before.
    get_hub.clear()
    failed = f" {counted(len(done.unreadable), 'value')} did not open." if done.unreadable else ""
    do_and_tell(
        lambda: (
            f"Sealed {counted(done.resealed, 'value')} with key {done.key_id}.{failed} Restart "
            "receiver and worker, so that they seal with it."
        )
    )
    st.rerun()
