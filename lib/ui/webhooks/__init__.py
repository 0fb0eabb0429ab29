"""The Webhooks screen: destinations and routes."""
