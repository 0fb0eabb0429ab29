"""Any HTTPS endpoint as a destination, by the rules of Standard Webhooks."""

from lib.addresses import check_url
from lib.providers.targets import Judgement, Reply, Target, judge_status
from lib.settings import Settings


class HttpEndpoint(Target):
    """An endpoint that checks webhook-signature and answers 2xx once it has the message."""

    kind = "http"
    takes_subscriptions = True
    label = "HTTPS endpoint"
    url_help = "The full address, such as https://example.com/hooks/members."
    success_note = "The endpoint answered 2xx: it has the message."

    def check_url(self, url: str, settings: Settings) -> None:
        """Accept public https addresses, and plain http in networks that the operator opened."""
        check_url(url, settings.allowed_private_networks)

    def judge(self, reply: Reply) -> Judgement:
        """Read the status."""
        return judge_status(reply.status)
