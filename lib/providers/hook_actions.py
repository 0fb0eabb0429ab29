"""Starting what listens at a vendor's hook, once and with the data that was given."""

from typing import Any

from pydantic import Field

from lib.errors import InvalidInput, ProviderError
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.hook_target import HookTarget
from lib.providers.targets import Reply

_SHOWN_ANSWER = 500


class TriggerHookInput(ActionInput):
    """What the hook gets."""

    data: dict[str, Any] = Field(
        title="Data", description='A JSON object, such as {"type": "order.paid", "total": 12}.'
    )


class TriggerHook(Action):
    """Sends one JSON object to the integration's hook.

    Whether anything ran cannot be proven, and starting it twice acts twice.
    """

    name = "trigger_hook"
    label = "Trigger the hook"
    help = "Sends data to the hook address of this integration, once."
    effect = "send"
    input = TriggerHookInput

    def __init__(self, hook: HookTarget) -> None:
        self._hook = hook

    def run(self, given: TriggerHookInput, call: ActionCall) -> Any:
        """Return that it was accepted, and what the hook answered."""
        url = call.values.get("hook_url")
        if not url:
            raise InvalidInput(
                "The integration has no hook URL. Enter it in its settings.", field="hook_url"
            )
        headers = self._hook.headers(call.values)
        answer = call.client.request(
            "POST", url, json=given.data, headers=headers, secret_path=True
        )
        judged = self._hook.judge(Reply(answer.status, answer.headers, answer.text.encode()))
        if judged.outcome == "accepted":
            return {
                "outcome": "accepted",
                "note": self._hook.success_note,
                "answer": answer.text[:_SHOWN_ANSWER],
            }
        raise ProviderError(
            judged.message or "The hook refused the data. Look at it in the service.",
            permanent=judged.outcome != "retry",
            status=answer.status,
            # A refusal came before anything was queued; a failure may have come after.
            is_unprocessed=answer.status < 500,
            retry_after=answer.headers.get("retry-after"),
        )
