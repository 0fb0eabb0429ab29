"""A kind of destination and a mapping for tests that are about neither."""

from typing import Any

import pytest

from lib.outgoing import attempt
from lib.outgoing.envelope import Envelope
from lib.providers.registry import get_provider
from lib.providers.targets import Judgement, Reply, Target, judge_status
from lib.settings import Settings


class PlainTarget(Target):
    """Takes every address and judges by status alone."""

    kind = "http"
    label = "Any HTTPS endpoint"
    url_help = "Any address."
    success_note = "It answered with 2xx."
    most_body_bytes = 2_000

    def check_url(self, url: str, settings: Settings) -> None:
        """Take every address."""

    def judge(self, reply: Reply) -> Judgement:
        """Judge by the status."""
        return judge_status(reply.status)


def use_plain_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one kind of destination, and mappings that name one field of the envelope."""
    monkeypatch.setattr(type(get_provider("webhook")), "targets", (PlainTarget(),))
    monkeypatch.setattr(attempt, "apply_mapping", _pick)


def _pick(expression: str | None, document: Envelope) -> Any:
    return document if expression is None else {expression: document[expression]}
