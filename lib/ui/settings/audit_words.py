"""The actions of the audit log in words."""

_WORDS = {
    "audit.exported": "Exported the audit log",
    "delivery.cancelled": "Cancelled a delivery",
    "delivery.retried": "Retried a delivery now",
    "deliveries.exported": "Exported deliveries",
    "destination.tested": "Tested a destination",
    "destination.url_revealed": "Revealed a destination's address",
    "doctor.applied": "Applied the doctor's advice",
    "event.retried": "Had an event processed again",
    "event.resolved": "Marked a failed event as resolved",
    "event.sent": "Sent an event to a destination",
    "events.exported": "Exported events",
    "integration.acted": "Carried out an action",
    "backup.made": "Made a backup",
    "backup.schedule_set": "Set the daily backup",
    "backup.tested": "Tested whether a backup restores",
    "keys.rotated": "Sealed the credentials anew",
    "public_url.tested": "Tested the public address",
    "rejection.accepted": "Accepted a refused request",
    "retention.hub_ages_set": "Set how long the hub keeps things",
    "replay.started": "Started a replay",
    "simulator.sent": "Sent a simulated request",
    "user.code_failed": "Gave a wrong code",
    "user.invite_link_made": "Made a new invitation link",
    "user.link_used": "Chose a password by a link",
    "user.links_withdrawn": "Withdrew a link",
    "user.reset_link_made": "Made a password link",
    "user.role_set": "Changed a role",
    "user.second_factor_off": "Turned the second factor off",
    "user.second_factor_on": "Turned the second factor on",
    "user.second_factor_removed": "Turned somebody's second factor off",
    "user.sessions_ended": "Signed out everywhere else",
    "user.sign_in_failed": "Failed to sign in",
    "user.signed_in": "Signed in",
    "user.signed_out": "Signed out",
}
SUBJECTS = {
    "user": "Users",
    "integration": "Integrations",
    "destination": "Destinations",
    "route": "Routes",
    "delivery": "Deliveries",
    "event": "Events",
    "replay": "Replays",
    "issue": "Issues",
    "rejection": "Rejected requests",
    "token": "API tokens",
    "audit": "Audit",
}


def say_action(action: str) -> str:
    """Return an action in words, such as "Signed in"; one without words is spelled out."""
    subject, _, deed = action.partition(".")
    spelled = f"{subject} {deed}".replace("_", " ").strip().capitalize()
    return _WORDS.get(action, spelled)


def say_details(details: dict[str, object]) -> str:
    """Return what an entry keeps beside, a change as "before → after"."""
    rest = {name: value for name, value in details.items() if name not in ("before", "after")}
    said = [f"{name.replace('_', ' ')}: {value}" for name, value in rest.items()]
    if "after" in details:
        said.insert(0, f"{details.get('before', '')} → {details['after']}")
    return ", ".join(said)
