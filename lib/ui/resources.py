"""What one dashboard process opens once and every browser shares."""

import streamlit as st

from lib.hub import Hub, open_hub
from lib.settings import Settings, load_settings


@st.cache_resource(show_spinner=False)
def get_settings() -> Settings:
    """Return the settings; raise ConfigError while they are wrong."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def get_hub() -> Hub:
    """Return the open hub; raise ConfigError, and try again at the next look."""
    return open_hub(get_settings())
