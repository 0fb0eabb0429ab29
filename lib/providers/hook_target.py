"""What destinations at vendors' hooks have in common: their own addresses, and weak successes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from lib.addresses import is_opened_literal
from lib.errors import InvalidInput
from lib.providers.targets import Judgement, Reply, Target, judge_status
from lib.settings import Settings


class HookTarget(Target):
    """A vendor's hook: a 2xx says that it was received, never that anything ran."""

    # What its addresses match, as a whole.
    url_pattern: ClassVar[re.Pattern[str]]
    # The vendor's reasons by status, where they say more than the status does.
    refusals: ClassVar[Mapping[int, str]] = {}

    def is_hook_url(self, url: str) -> bool:
        """Tell whether `url` is an address of this vendor's hooks."""
        return self.url_pattern.fullmatch(url) is not None

    def check_url(self, url: str, settings: Settings) -> None:
        """Accept the vendor's hooks, and literal addresses that the operator opened."""
        if self.is_hook_url(url) or is_opened_literal(url, settings.allowed_private_networks):
            return
        raise InvalidInput(f"Hook URL is not right. {self.url_help}", field="url")

    def judge(self, reply: Reply) -> Judgement:
        """Read the status, and say why in the vendor's terms."""
        judged = judge_status(reply.status, success="accepted")
        if judged.outcome == "accepted":
            return judged
        return replace(judged, message=self.refusals.get(reply.status, judged.message))
