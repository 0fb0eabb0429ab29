"""The tables, grouped by subject; no I/O."""

from lib.models.alerts import Alert, AlertChannel, AlertKindMute, AlertMessage
from lib.models.api import ApiToken, IdempotencyKey
from lib.models.events import (
    EventKey,
    HourlyRollup,
    RejectedRequest,
    SearchDocument,
    WebhookEvent,
)
from lib.models.figures import (
    Conversation,
    DurationRollup,
    FailureRollup,
    MessageRollup,
)
from lib.models.integrations import IntegrationConfig
from lib.models.laboratory import TrialEndpoint, TrialRequest
from lib.models.outgoing import (
    Delivery,
    DeliveryAttempt,
    DeliveryRollup,
    Destination,
    DestinationState,
    Issue,
    Replay,
    RetentionRun,
    Route,
)
from lib.models.people import AccountLink, LoginSession, LoginThrottle, User
from lib.models.records import ApiCall, AuditEntry
from lib.models.registry import Base
from lib.models.retention import RetentionCursor, RetentionWaiting
from lib.models.screens import BackupRun, HubSetting, SavedSample, SavedView
from lib.models.state import HubFact, WorkerHeartbeat
from lib.models.totals import (
    DeliveryTotal,
    DurationTotal,
    EventTotal,
    FailureTotal,
    LatencyTotal,
    MessageTotal,
)
from lib.models.vendors import MessageState, OAuthGrant, OAuthInstall, VendorBudget

__all__ = [
    "AccountLink",
    "Alert",
    "AlertChannel",
    "AlertKindMute",
    "AlertMessage",
    "ApiCall",
    "ApiToken",
    "AuditEntry",
    "BackupRun",
    "Base",
    "Conversation",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryRollup",
    "DeliveryTotal",
    "Destination",
    "DestinationState",
    "DurationRollup",
    "DurationTotal",
    "EventKey",
    "EventTotal",
    "FailureRollup",
    "FailureTotal",
    "HourlyRollup",
    "HubFact",
    "HubSetting",
    "IdempotencyKey",
    "IntegrationConfig",
    "Issue",
    "LatencyTotal",
    "LoginSession",
    "LoginThrottle",
    "MessageRollup",
    "MessageState",
    "MessageTotal",
    "OAuthGrant",
    "OAuthInstall",
    "RejectedRequest",
    "Replay",
    "RetentionCursor",
    "RetentionRun",
    "RetentionWaiting",
    "Route",
    "SavedSample",
    "SavedView",
    "SearchDocument",
    "TrialEndpoint",
    "TrialRequest",
    "User",
    "VendorBudget",
    "WebhookEvent",
    "WorkerHeartbeat",
]
