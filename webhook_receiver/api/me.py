"""Who a token speaks for: what Zapier and Make ask to test a connection."""

from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Moment, Shown, stamp_or_none


class TokenShown(Shown):
    """The token of this request."""

    id: str
    name: str
    last4: str
    scopes: list[str]
    expires_at: Moment | None


class Me(Shown):
    """The user of this token."""

    id: str
    email: str
    name: str
    role: str
    token: TokenShown


def show_me(call: Call) -> Reply:
    """Return the caller."""
    actor, token = call.caller.actor, call.caller.token
    shown = TokenShown(
        id=token.id,
        name=token.name,
        last4=token.last4,
        scopes=list(token.scopes),
        expires_at=stamp_or_none(token.expires_at),
    )
    return Reply(
        Me(id=actor.id, email=actor.email, name=actor.name, role=actor.role.value, token=shown)
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/me",
        scope=None,
        summary="Tell whom the token speaks for",
        handler=show_me,
        answer=Me,
        note="Good for testing a connection: 200 with a good token, 401 with any other.",
    ),
)
