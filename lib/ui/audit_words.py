"""The actions of the audit log in words."""

from collections.abc import Mapping
from typing import Any

WORDS = {
    "alert.muted": "Muted an alert",
    "alert.unmuted": "Ended the mute of an alert",
    "alert_channel.added": "Added an alert channel",
    "alert_channel.changed": "Changed an alert channel",
    "alert_channel.paused": "Paused an alert channel",
    "alert_channel.removed": "Removed an alert channel",
    "alert_channel.resumed": "Resumed an alert channel",
    "alert_channel.tested": "Tested an alert channel",
    "alert_kind.muted": "Muted a kind of alert",
    "alert_kind.unmuted": "Ended the mute of a kind of alert",
    "audit.exported": "Exported the audit log",
    "backup.made": "Made a backup",
    "backup.schedule_set": "Set the daily backup",
    "backup.tested": "Tested whether a backup restores",
    "deliveries.exported": "Exported deliveries",
    "delivery.cancelled": "Cancelled a delivery",
    "delivery.retried": "Retried a delivery now",
    "destination.added": "Added a destination",
    "destination.enabled": "Enabled a destination again",
    "destination.paused": "Paused a destination",
    "destination.removed": "Removed a destination",
    "destination.resumed": "Resumed a destination",
    "destination.secret_overlap_ended": "Ended the time of an old signing secret",
    "destination.secret_rotated": "Rotated a signing secret",
    "destination.tested": "Tested a destination",
    "destination.updated": "Changed a destination",
    "destination.url_revealed": "Revealed a destination's address",
    "doctor.applied": "Applied the doctor's advice",
    "event.edited": "Edited an event and sent it again",
    "event.resolved": "Marked a failed event as resolved",
    "event.retried": "Had an event processed again",
    "event.sent": "Sent an event to a destination",
    "event.tagged": "Tagged an event",
    "event.untagged": "Took a tag off an event",
    "events.exported": "Exported events",
    "integration.acted": "Carried out an action",
    "integration.added": "Added an integration",
    "integration.address_overlap_ended": "Ended the time of an old address",
    "integration.address_rotated": "Rotated an integration's address",
    "integration.connected": "Connected a vendor's account",
    "integration.connecting": "Began to connect a vendor's account",
    "integration.disconnected": "Disconnected a vendor's account",
    "integration.duplicated": "Duplicated an integration",
    "integration.paused": "Paused an integration",
    "integration.removed": "Removed an integration",
    "integration.resumed": "Resumed an integration",
    "integration.retention_set": "Set how long an integration's things are kept",
    "integration.secret_overlap_ended": "Ended the time of an old secret",
    "integration.secret_reissued": "Issued a new shared secret",
    "integration.secret_replaced": "Replaced a secret",
    "integration.status_page_closed": "Closed a status page",
    "integration.status_page_opened": "Opened a status page",
    "integration.updated": "Changed an integration",
    "issue.acknowledged": "Acknowledged an issue",
    "issue.assigned": "Assigned an issue",
    "issue.ignored": "Ignored an issue",
    "issue.muted": "Muted an issue",
    "issue.noted": "Wrote a note on an issue",
    "issue.open": "Opened an issue again",
    "issue.resolved": "Resolved an issue",
    "keys.rotated": "Sealed the credentials anew",
    "mail.removed": "Removed the mail server",
    "mail.set": "Set the mail server",
    "mail.tested": "Sent a test mail",
    "public_url.tested": "Tested the public address",
    "rejection.accepted": "Accepted a refused request",
    "rejections.exported": "Exported refused requests",
    "replay.started": "Started a replay",
    "report.made": "Made a monthly report",
    "retention.hub_ages_set": "Set how long the hub keeps things",
    "route.added": "Added a route",
    "route.paused": "Paused a route",
    "route.removed": "Removed a route",
    "route.resumed": "Resumed a route",
    "route.updated": "Changed a route",
    "sample.removed": "Removed a saved sample",
    "sample.saved": "Saved a sample",
    "simulator.sent": "Sent a simulated request",
    "token.created": "Made an API token",
    "token.revoked": "Revoked an API token",
    "trial_endpoint.added": "Made a test address",
    "trial_endpoint.removed": "Removed a test address",
    "user.added": "Added a user",
    "user.code_failed": "Gave a wrong code",
    "user.disabled": "Shut a user out",
    "user.enabled": "Let a user in again",
    "user.invite_link_made": "Made a new invitation link",
    "user.invited": "Invited a user",
    "user.link_used": "Chose a password by a link",
    "user.links_withdrawn": "Withdrew a link",
    "user.password_changed": "Changed the own password",
    "user.renamed": "Changed the own name",
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
    "token": "API tokens",
    "integration": "Integrations",
    "destination": "Destinations",
    "route": "Routes",
    "event": "Events",
    "delivery": "Deliveries",
    "replay": "Replays",
    "issue": "Issues",
    "rejection": "Rejected requests",
    "alert": "Alerts and channels",
    "testing": "Testing tools",
    "settings": "Settings of the hub",
    "audit": "Audit and reports",
}


def say_action(action: str) -> str:
    """Return an action in words, such as "Signed in"; one of an older release is spelled out."""
    return WORDS.get(action) or action.replace(".", " ").replace("_", " ").strip().capitalize()


def say_details(details: Mapping[str, Any]) -> str:
    """Return what an entry keeps beside, a change as "name: before → after"."""
    changes = details.get("changes", {})
    said = [
        f"{_say(name)}: {change['before'] or 'none'} → {change['after'] or 'none'}"
        for name, change in changes.items()
    ]
    # An entry of an older release has one change, without its name.
    if "after" in details:
        said.append(f"{details.get('before', '')} → {details['after']}")
    rest = {
        name: value
        for name, value in details.items()
        if name not in ("changes", "before", "after") and value != ""
    }
    return ", ".join([*said, *(f"{_say(name)}: {value}" for name, value in rest.items())])


def _say(name: str) -> str:
    return name.replace("_", " ")
