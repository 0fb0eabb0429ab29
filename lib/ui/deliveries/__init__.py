"""The Deliveries and Issues screens, and replaying from either."""
