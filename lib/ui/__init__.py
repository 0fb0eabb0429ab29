"""Everything that draws: the only part of lib that knows Streamlit."""
