"""Signing in, the own account, and for staff all others."""
