"""The worker process: everything that happens to an event after its acknowledgement."""
