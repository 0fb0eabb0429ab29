"""The process that sends: it holds the connections to other sides, but no key and no database.

The worker hands it requests and is told what came of each. So neither waits for the other's
interpreter, and what talks to strangers can read nobody's secrets but those it just sends.
"""
