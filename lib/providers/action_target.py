"""What a vendor is asked to do for each event, as a destination; any provider's actions."""

from lib.errors import InvalidInput
from lib.providers.targets import Judgement, Reply, Target, judge_status
from lib.settings import Settings


class ActionTarget(Target):
    """An action of an integration; a route's mapping yields its input."""

    kind = "action"
    label = "Action"
    url_help = "Let an integration do something for each event: send a message, run a scenario."
    success_note = "The service did it, or has taken it on."
    most_body_bytes = 1_000_000
    # Each holds a thread while the vendor answers.
    concurrency = 8
    has_address = False

    def check_url(self, url: str, settings: Settings) -> None:
        """Refuse any address."""
        raise InvalidInput("An action has no address. Choose an integration.", field="url")

    def judge(self, reply: Reply) -> Judgement:
        """Read the status; what failed is told by the run itself."""
        return judge_status(reply.status)
