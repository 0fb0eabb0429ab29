"""Signing what is sent, as Standard Webhooks 1.0.0 says."""

from collections.abc import Sequence
from datetime import datetime


def signature_headers(
    message_id: str, moment: datetime, body: bytes, *, secrets: Sequence[str]
) -> dict[str, str]:
    """Return webhook-id, webhook-timestamp and webhook-signature, one entry per secret."""
    raise NotImplementedError


def issue_signing_secret() -> str:
    """Return a fresh `whsec_` secret of 32 random bytes."""
    raise NotImplementedError
