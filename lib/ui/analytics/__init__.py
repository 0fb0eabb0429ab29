"""The Analytics screen: figures, charts, and the report of a month."""
