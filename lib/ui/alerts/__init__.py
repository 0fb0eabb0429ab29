"""The Alerts screen, its channels, and the bell of every screen."""
