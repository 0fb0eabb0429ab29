"""What the hub does at vendors in a member's name: authorisation, actions, and their limits."""
