"""What an error code means, wherever one is shown."""

import streamlit as st

from lib.codes import who_must_act
from lib.providers.explanations import Explanation
from lib.ui.formats import plain


def draw_explanation(found: Explanation) -> None:
    """Draw the cause, who must act, what to do, and the link to the vendor's page."""
    st.info(
        f"**{plain(found.code)} · {plain(found.title)}.** {plain(found.cause)}\n\n"
        f"**Who acts:** {who_must_act(found)}. **What to do:** {plain(found.step)} "
        f"[Read more]({found.link})",
        icon=":material/help:",
    )
