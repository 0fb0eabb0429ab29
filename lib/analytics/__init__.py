"""The figures of the Analytics screen: sums over rollups, within what the reader may see."""
