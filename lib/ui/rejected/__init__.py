"""The Rejected screen and the signature doctor."""
