"""The Credentials screen, and the dialog that replaces one."""
