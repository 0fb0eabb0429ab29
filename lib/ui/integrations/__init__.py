"""The Integrations screen: cards, the wizard, and one integration with its actions."""
