"""The tables, grouped by subject; no I/O."""

from lib.models.api import ApiToken, IdempotencyKey
from lib.models.events import (
    EventKey,
    HourlyRollup,
    RejectedRequest,
    SearchDocument,
    WebhookEvent,
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
from lib.models.people import LoginSession, LoginThrottle, User
from lib.models.records import ApiCall, AuditEntry
from lib.models.registry import Base
from lib.models.retention import RetentionCursor, RetentionWaiting
from lib.models.state import HubFact, WorkerHeartbeat
from lib.models.vendors import MessageState, OAuthGrant, OAuthInstall, VendorBudget

__all__ = [
    "ApiCall",
    "ApiToken",
    "AuditEntry",
    "Base",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryRollup",
    "Destination",
    "DestinationState",
    "EventKey",
    "HourlyRollup",
    "HubFact",
    "IdempotencyKey",
    "IntegrationConfig",
    "Issue",
    "LoginSession",
    "LoginThrottle",
    "MessageState",
    "OAuthGrant",
    "OAuthInstall",
    "RejectedRequest",
    "Replay",
    "RetentionCursor",
    "RetentionRun",
    "RetentionWaiting",
    "Route",
    "SearchDocument",
    "TrialEndpoint",
    "TrialRequest",
    "User",
    "VendorBudget",
    "WebhookEvent",
    "WorkerHeartbeat",
]
