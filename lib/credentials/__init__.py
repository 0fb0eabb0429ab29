"""Credentials as their owners see them: state, age, use, and replacing one."""
