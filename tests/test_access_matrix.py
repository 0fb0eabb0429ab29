"""Who reaches what, over every use case: members their own, staff all, analysts masked reads.

A public function that is added to one of these modules fails here until it has an entry.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from lib import card_pages, overview, public_address
from lib.access import Actor
from lib.alerts import channels, kind_mutes, mail_settings, reading
from lib.alerts.channels import ChannelDraft
from lib.alerts.mail_settings import MailDraft
from lib.alerts.reading import AlertFilters
from lib.analytics import deliveries as delivery_figures
from lib.analytics import figures as span_figures
from lib.analytics import latency, messages, scopes, silence, volume
from lib.analytics.periods import Period, find_zone, period_of
from lib.analytics.scopes import Filters
from lib.audit_reading import AuditFilters
from lib.backups import book as backups
from lib.backups import schedule as backups_schedule
from lib.clock import now, shifted
from lib.connections import checks, choices, first_values, integrations, status_pages
from lib.connections import copies as integration_copies
from lib.connections import history as integration_history
from lib.connections.integrations import Integration
from lib.credentials import rotation as credential_rotation
from lib.credentials import views as credential_views
from lib.credentials.views import CredentialFilters
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.events import bulk, bulk_changes, emission, relations, revisions, samples, tags
from lib.events import contents as event_contents
from lib.events import figures as event_figures
from lib.events import reading as events
from lib.events.emission import Emission
from lib.events.reading import EventFilters
from lib.health import report as health_report
from lib.hub import Hub, open_hub
from lib.ids import new_id
from lib.intake import rejections
from lib.intake.rejections import RejectionFilters
from lib.laboratory import acceptance, calculator, doctor, endpoints, route_trials, simulator
from lib.laboratory.reception import Arrived, keep_request, plan_answer
from lib.lists import exports, saved_views
from lib.models import (
    Alert,
    AlertChannel,
    ApiCall,
    AuditEntry,
    Delivery,
    Destination,
    IntegrationConfig,
    Issue,
    OAuthGrant,
    RejectedRequest,
    Replay,
    Route,
    SavedSample,
    SavedView,
    TrialEndpoint,
    User,
    WebhookEvent,
)
from lib.outgoing import (
    deliveries,
    destination_figures,
    destinations,
    hook_subscriptions,
    integration_queue,
    issue_handling,
    issues,
    manual_sends,
    rehearsals,
    replays,
    route_reasons,
    routes,
    secret_overlaps,
    trials,
)
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.destination_views import DestinationDraft, DestinationView
from lib.outgoing.hook_subscriptions import SubscriptionDraft
from lib.outgoing.routes import RouteDraft, RouteView
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.base import CheckResult
from lib.providers.diagnosis import Remedy
from lib.providers.gohighlevel import GoHighLevel
from lib.providers.registry import get_provider
from lib.reports import downloads, monthly
from lib.reports.downloads import Wanted
from lib.retention import hub_ages, plans
from lib.vault import key_rotation
from lib.vendors import actions, budgets, oauth
from tests.conftest import ENGINES, copied, make_settings, template_url
from tests.destination_factories import (
    API_KEY,
    TOKEN_PART,
    add_destination,
    add_route,
    make_delivery_rollup,
    use_targets,
)
from tests.event_factories import (
    SID,
    SMS,
    TOKEN,
    make_event,
    make_integration,
    make_rejection,
    make_rollup,
)
from tests.factories import make_user
from tests.figure_factories import (
    count_failures,
    count_messages,
    count_received,
    count_waits,
)
from tests.oauth_clients import make_budget, make_grant
from tests.outgoing_factories import (
    SIGNING_SECRET,
    URL,
    make_attempt,
    make_delivery,
    make_destination,
    make_issue,
)

MODULES = (
    acceptance,
    actions,
    backups,
    backups_schedule,
    budgets,
    bulk,
    bulk_changes,
    calculator,
    card_pages,
    channels,
    checks,
    choices,
    credential_rotation,
    credential_views,
    deliveries,
    delivery_figures,
    destination_figures,
    destinations,
    downloads,
    emission,
    event_contents,
    event_figures,
    doctor,
    endpoints,
    events,
    exports,
    first_values,
    health_report,
    hook_subscriptions,
    hub_ages,
    integration_copies,
    integration_history,
    integration_queue,
    integrations,
    issue_handling,
    issues,
    kind_mutes,
    key_rotation,
    latency,
    mail_settings,
    manual_sends,
    messages,
    monthly,
    oauth,
    overview,
    plans,
    public_address,
    reading,
    rehearsals,
    rejections,
    relations,
    replays,
    revisions,
    route_reasons,
    route_trials,
    routes,
    saved_views,
    scopes,
    secret_overlaps,
    silence,
    simulator,
    span_figures,
    status_pages,
    samples,
    simulator,
    tags,
    trials,
    volume,
)
# What takes a session, a screen's own rows or nothing of a user's; no screen hands ids to them.
NOT_FOR_USERS = {
    "events.samples.find_row",
    "analytics.figures.change",
    "analytics.scopes.is_sqlite",
    "analytics.scopes.of_destinations",
    "analytics.scopes.of_integrations",
    "analytics.scopes.integrations",
    "analytics.scopes.destinations",
    "analytics.deliveries.ends_by_destination",
    "analytics.deliveries.names_of_destinations",
    "analytics.silence.last_hours",
    "events.figures.shown_status",
    "reports.downloads.media_type",
    # For staff alone, with a refusal for others: tests/test_backups.py, test_key_rotation.py.
    "backups.book.back_up_now",
    "backups.book.prove_backup",
    "backups.schedule.set_schedule",
    "vault.key_rotation.rotate_keys",
    # The worker, the operator's commands and other use cases call these.
    "backups.book.make_backup",
    "backups.book.missing_program",
    "backups.book.prepare_folder",
    "backups.book.prove_run",
    "backups.schedule.is_due",
    "backups.schedule.next_due",
    "backups.schedule.run_due",
    "health.report.read_stored",
    "retention.hub_ages.hub_ages",
    # It is about the caller's own connections.
    "alerts.channels.list_texters",
    "alerts.reading.silent_integrations",
    # Each is about the caller alone: tests/test_alerts.py.
    "alerts.kind_mutes.muted_kinds",
    "alerts.kind_mutes.tell_unmuted",
    "alerts.kind_mutes.unmute_kind",
    "alerts.mail_settings.check_address",
    "alerts.mail_settings.is_mail_outdated",
    "alerts.mail_settings.open_mail_server",
    "alerts.mail_settings.reseal_mail",
    # They return nothing, and are staff's alone: tests/test_alert_mail.py.
    "alerts.mail_settings.remove_mail_settings",
    "alerts.mail_settings.send_test_mail",
    "alerts.mail_settings.set_mail_settings",
    "vendors.budgets.open_client",
    "vendors.budgets.read_gauges",
    "vendors.oauth.complete_install",
    # The removal of a connection calls it, after it has asked whose it is.
    "outgoing.integration_queue.cancel_open",
    # Whoever has its key may see it; tests/test_receiver_status.py says what is on it.
    "connections.status_pages.public_status",
    "laboratory.calculator.calculable",
    "laboratory.endpoints.prune",
    "laboratory.simulator.is_simulated",
    "events.tags.read_tag",
    # Each is about the caller alone: test_a_kept_view_is_its_owners_alone.
    "lists.saved_views.list_views",
    "lists.saved_views.save_view",
    # They take a session; `bulk.plan` and `bulk.plan_cancelling` ask them.
    "events.bulk_changes.failed_events",
    "events.bulk_changes.newest_finished",
    "events.bulk_changes.queued_of_events",
    "events.bulk_changes.queued_that_match",
    "events.bulk_changes.retriable_events",
    "events.bulk_changes.taggable_events",
    "events.bulk_changes.tagged_events",
    "events.reading.view_row",
    "outgoing.issues.check_state",
    "outgoing.issues.find_issue",
    "outgoing.issues.view_issue",
    "outgoing.manual_sends.queue_for",
    "events.revisions.draft_of",
    "events.revisions.draft_of_payload",
    # For staff alone, the owner is refused: tests/test_revisions.py.
    "events.revisions.begin_edit",
    "connections.integrations.owned_row",
    "connections.integrations.token_digest",
    "connections.integrations.bump_revision",
    "connections.integrations.overlap_proof",
    "overview.needs",
    # Takes what the two above it gave, and reads figures of it.
    "overview.cards_of",
    "card_pages.by_attention",
    "overview.worker_state",
    "connections.first_values.first_values",
    # It is about the caller's own new integration and their own subscriptions.
    "outgoing.hook_subscriptions.follow",
    # It is about what services offer, and nobody's.
    "vendors.actions.reaches_person",
    "connections.first_values.offered_secrets",
    "connections.first_values.with_offered_secrets",
    "outgoing.trials.open_sender",
    "outgoing.replays.work_replays",
}
NUMBER = "+14155550142"
TAG = "customer=Hopper"
# A filter's value; no one but the owner and staff sees what a route looks for.
LOOKED_FOR = "+14155550155"
HOST = "hooks.example.com"
CHECK_ANSWER = "The account of Grace Hopper Salon is active."
# Nothing of these may reach an analyst, in whatever list or detail.
PERSONAL = (
    "ada@example.com",
    "grace@example.org",
    "Grace",
    "Hopper",
    "Hallo",
    "4155550123",
    "4155550199",
    NUMBER,
    SMS["MessageSid"],
    SID,
    TOKEN,
    TOKEN[-4:],
    "TwilioProxy",
    "header-words",
    "203.0.113.77",
    LOOKED_FOR,
    HOST,
    TOKEN_PART,
    API_KEY,
    API_KEY[-4:],
    "198.51.100.23",
    "answering-words",
    "MembersHub/1",
    "other side failed",
    URL,
    SIGNING_SECRET,
)
_OWN_IDS = re.compile(r"\b[a-z]{3}_[0-9a-f]{32}\b")
NEVER_SHOWN = {TOKEN, URL, SIGNING_SECRET, TOKEN_PART, API_KEY}
MAIL_CHANNEL = ChannelDraft("email", "Mail", address="ada@example.com")
DEAD = DeliveryFilters(status="dead")
KEPT_VIEW = "Grace's"
SUBSCRIBED = {"event": "*", "filters": [], "integration_id": "int_of_event"}


@dataclass(frozen=True)
class Ground:
    """What belongs to ada."""

    hub: Hub
    ada: Actor
    item: Integration
    event_id: str
    # Who else there is.
    bob: Actor
    staff: Actor
    analyst: Actor
    rejection_id: str
    destination: DestinationView
    route: RouteView
    place_id: str
    queued_id: str
    dead_id: str
    issue_id: str
    replay_id: str
    subscription_id: str
    # The other connection has an authorised app without tokens, so it cannot act.
    acting_id: str
    bin_id: str
    sample_id: str
    channel_id: str
    alert_id: str
    view_id: str

    @property
    def token(self) -> str:
        return self.item.webhook_url.rpartition("/")[2]

    @property
    def draft(self) -> RouteDraft:
        return RouteDraft(self.item.id, self.destination.id, name="Taken")


Call = Callable[[Ground, Actor], Any]
LISTS: dict[str, Call] = {
    "analytics.deliveries.attempts_needed": lambda g, who: delivery_figures.attempts_needed(
        g.hub, who, _week(), Filters()
    ),
    "analytics.deliveries.causes": lambda g, who: delivery_figures.causes(
        g.hub, who, _week(), Filters()
    ),
    "analytics.deliveries.failing_destinations": lambda g, who: (
        delivery_figures.failing_destinations(g.hub, who, _week(), Filters())
    ),
    "analytics.figures.figures": lambda g, who: _counted(
        span_figures.figures(g.hub, who, _week(), Filters())
    ),
    "analytics.latency.latency": lambda g, who: latency.latency(g.hub, who, _week(), Filters()),
    "analytics.latency.waits": lambda g, who: latency.waits(g.hub, who, _week(), Filters()),
    "analytics.messages.funnels": lambda g, who: messages.funnels(g.hub, who, _week(), Filters()),
    "analytics.silence.silent_integrations": lambda g, who: [
        (row.name, row.last_hour) for row in silence.silent_integrations(g.hub, who, Filters())
    ],
    "analytics.volume.heat_map": lambda g, who: volume.heat_map(g.hub, who, _week(), Filters()),
    "analytics.volume.outcomes": lambda g, who: volume.outcomes(g.hub, who, _week(), Filters()),
    "analytics.volume.volume": lambda g, who: volume.volume(g.hub, who, _week(), Filters()),
    "reports.monthly.monthly_report": lambda g, who: _reported(
        monthly.monthly_report(g.hub, who, f"{now():%Y-%m}", zone=find_zone(None))
    ),
    "alerts.channels.list_channels": lambda g, who: channels.list_channels(g.hub, who),
    "alerts.reading.count_open": lambda g, who: reading.count_open(g.hub, who),
    "alerts.reading.list_alerts": lambda g, who: (
        reading.list_alerts(g.hub, who, AlertFilters()).rows
    ),
    "laboratory.endpoints.list_all": lambda g, who: endpoints.list_all(g.hub, who),
    "outgoing.destination_figures.destination_overview": lambda g, who: (
        destination_figures.destination_overview(g.hub, who).rows
    ),
    "outgoing.destinations.list_all": lambda g, who: destinations.list_all(g.hub, who),
    "outgoing.routes.list_all": lambda g, who: [
        _written(row) for row in routes.list_all(g.hub, who).rows
    ],
    "events.reading.list_events": lambda g, who: (
        events.list_events(g.hub, who, EventFilters()).rows
    ),
    "events.reading.count_events": lambda g, who: [
        each.count for each in [events.count_events(g.hub, who, EventFilters())] if each.count
    ],
    "events.reading.list_event_types": lambda g, who: events.list_event_types(g.hub, who),
    "events.contents.list_contents": lambda g, who: [
        dataclasses.asdict(row)
        for row in event_contents.list_contents(g.hub, who, EventFilters()).rows
    ],
    "events.contents.list_samples": lambda g, who: event_contents.list_samples(
        g.hub, who, event_type="message.received"
    ),
    "connections.integrations.list_all": lambda g, who: integrations.list_all(g.hub, who),
    "outgoing.deliveries.list_deliveries": lambda g, who: (
        deliveries.list_deliveries(g.hub, who, DeliveryFilters()).rows
    ),
    "outgoing.deliveries.deliveries_of_event": lambda g, who: deliveries.deliveries_of_event(
        g.hub, who, g.event_id
    ),
    "events.bulk.match": lambda g, who: bulk.match(g.hub, who, EventFilters()).ids,
    "events.bulk.plan": lambda g, who: [
        (action, planned.targets, planned.sample, planned.by_destination)
        for action in bulk.ACTIONS
        if (planned := _planned(g, who, action)).count
    ],
    "events.bulk.plan_cancelling": lambda g, who: (
        bulk.plan_cancelling(g.hub, who, DeliveryFilters()).by_destination
    ),
    "lists.exports.export_events": lambda g, who: "".join(
        exports.export_events(g.hub, who, EventFilters(), "jsonl")
    ),
    "lists.exports.export_deliveries": lambda g, who: "".join(
        exports.export_deliveries(g.hub, who, DeliveryFilters(), "jsonl")
    ),
    "events.figures.figures_of": lambda g, who: event_figures.figures_of(g.hub, who, [g.event_id]),
    "events.figures.subjects_of": lambda g, who: event_figures.subjects_of(
        g.hub, who, [g.event_id]
    ),
    "events.figures.count_received": lambda g, who: event_figures.count_received(g.hub, who),
    "outgoing.deliveries.destination_names": lambda g, who: deliveries.destination_names(
        g.hub, who
    ),
    "outgoing.issues.list_issues": lambda g, who: issues.list_issues(g.hub, who).rows,
    "outgoing.issues.count_open": lambda g, who: issues.count_open(g.hub, who),
    "outgoing.replays.dry_run": lambda g, who: replays.dry_run(g.hub, who, DEAD).sample,
    "card_pages.card_page": lambda g, who: [
        *card_pages.card_page(g.hub, who, card_pages.CardFilters()).rows
    ],
    "connections.choices.list_choices": lambda g, who: choices.list_choices(g.hub, who),
    "overview.volume": lambda g, who: overview.volume(g.hub, who, hours=24),
    "overview.queue": lambda g, who: overview.queue(g.hub, who).events,
    "overview.first_screen": lambda g, who: _all_of(*overview.first_screen(g.hub, who)),
    "outgoing.issue_handling.known_assignees": lambda g, who: issue_handling.known_assignees(
        g.hub, who
    ),
    "events.samples.list_saved": lambda g, who: [
        dataclasses.asdict(each) for each in samples.list_saved(g.hub, who)
    ],
    "credentials.views.list_credentials": lambda g, who: (
        credential_views.list_credentials(g.hub, who, CredentialFilters()).rows
    ),
    "intake.rejections.list_reasons": lambda g, who: rejections.list_reasons(g.hub, who),
    "lists.exports.export_rejections": lambda g, who: "".join(
        exports.export_rejections(g.hub, who, RejectionFilters(), "jsonl")
    ),
    "intake.rejections.list_rejections": lambda g, who: rejections.list_rejections(g.hub, who).rows,
    "retention.plans.project": lambda g, who: plans.project(g.hub, who).holdings,
}
DETAILS: dict[str, Call] = {
    "vendors.budgets.find_gauge": lambda g, who: budgets.find_gauge(g.hub, who, g.item.id),
    "vendors.oauth.find_connection": lambda g, who: oauth.find_connection(g.hub, who, g.item.id),
    "laboratory.doctor.examine": lambda g, who: doctor.examine(g.hub, who, g.rejection_id),
    "laboratory.endpoints.list_requests": lambda g, who: endpoints.list_requests(
        g.hub, who, g.bin_id
    ),
    "laboratory.route_trials.try_route": lambda g, who: _tried(
        route_trials.try_route(g.hub, who, g.route.id, g.event_id)
    ),
    "laboratory.simulator.fill_in": lambda g, who: simulator.fill_in(
        g.hub, who, g.item.id, label="message.inbound"
    )[:30],
    "laboratory.simulator.find_event": lambda g, who: simulator.find_event(
        g.hub, who, _sent(g.item.id)
    ),
    "vendors.actions.list_actions": lambda g, who: actions.list_actions(g.hub, who, g.item.id),
    "outgoing.destination_figures.figures": lambda g, who: destination_figures.figures(
        g.hub, who, g.destination.id
    ),
    "outgoing.destinations.count_open": lambda g, who: destinations.count_open(
        g.hub, who, g.destination.id
    ),
    "outgoing.destinations.get": lambda g, who: destinations.get(g.hub, who, g.destination.id),
    "outgoing.rehearsals.count_matches": lambda g, who: rehearsals.count_matches(
        g.hub, who, g.draft
    ),
    "outgoing.rehearsals.preview": lambda g, who: _written(rehearsals.preview(g.hub, who, g.draft)),
    "outgoing.routes.get": lambda g, who: _written(routes.get(g.hub, who, g.route.id)),
    "events.reading.get_event": lambda g, who: events.get_event(g.hub, who, g.event_id),
    "events.contents.get_content": lambda g, who: dataclasses.asdict(
        event_contents.get_content(g.hub, who, g.event_id)
    ),
    "overview.card": lambda g, who: overview.card(g.hub, who, g.item.id),
    "connections.integrations.get": lambda g, who: integrations.get(g.hub, who, g.item.id),
    "outgoing.deliveries.get_delivery": lambda g, who: deliveries.get_delivery(
        g.hub, who, g.dead_id
    ),
    "outgoing.issues.get_issue": lambda g, who: issues.get_issue(g.hub, who, g.issue_id),
    "outgoing.manual_sends.send_choices": lambda g, who: manual_sends.send_choices(
        g.hub, who, g.event_id
    ),
    "outgoing.replays.progress": lambda g, who: replays.progress(g.hub, who, g.replay_id),
    "events.relations.related_events": lambda g, who: relations.related_events(
        g.hub, who, g.event_id
    ),
    "outgoing.route_reasons.reasons_of_event": lambda g, who: route_reasons.reasons_of_event(
        g.hub, who, g.event_id
    ),
    "outgoing.issue_handling.assignees": lambda g, who: issue_handling.assignees(
        g.hub, who, g.issue_id
    ),
    "credentials.views.credentials_of": lambda g, who: credential_views.credentials_of(
        g.hub, who, g.item.id
    ),
    "credentials.views.get_credential": lambda g, who: credential_views.get_credential(
        g.hub, who, f"{g.item.id}.auth_token"
    ),
    "credentials.views.find_dependents": lambda g, who: credential_views.find_dependents(
        g.hub, who, g.item.id
    ),
    "intake.rejections.get_rejection": lambda g, who: rejections.get_rejection(
        g.hub, who, g.rejection_id
    ),
    "retention.plans.get_retention": lambda g, who: plans.get_retention(g.hub, who, g.item.id),
    "connections.history.list_history": lambda g, who: (
        integration_history.list_history(g.hub, who, g.item.id).rows
    ),
    "outgoing.integration_queue.count_open": lambda g, who: integration_queue.count_open(
        g.hub, who, g.item.id
    ),
    "connections.status_pages.status_url": lambda g, who: status_pages.status_url(
        g.hub, who, g.item.id
    ),
}
ACTIONS: dict[str, Call] = {
    "alerts.channels.update": lambda g, who: channels.update(
        g.hub, who, g.channel_id, MAIL_CHANNEL
    ),
    "alerts.channels.pause": lambda g, who: channels.pause(g.hub, who, g.channel_id),
    "alerts.channels.resume": lambda g, who: channels.resume(g.hub, who, g.channel_id),
    "alerts.channels.remove": lambda g, who: channels.remove(g.hub, who, g.channel_id),
    # No mail server is set, so nothing is sent.
    "alerts.channels.send_test": lambda g, who: channels.send_test(g.hub, who, g.channel_id),
    "alerts.reading.mute": lambda g, who: reading.mute(g.hub, who, g.alert_id, until="day"),
    "alerts.reading.unmute": lambda g, who: reading.unmute(g.hub, who, g.alert_id),
    "vendors.oauth.begin_install": lambda g, who: oauth.begin_install(g.hub, who, g.item.id),
    "vendors.oauth.disconnect": lambda g, who: oauth.disconnect(g.hub, who, g.item.id),
    "laboratory.acceptance.accept_once": lambda g, who: acceptance.accept_once(
        g.hub, who, g.rejection_id
    ),
    "laboratory.doctor.apply_remedy": lambda g, who: doctor.apply_remedy(
        g.hub, who, g.rejection_id, Remedy("clear_fields", "shared_key_id")
    ),
    "laboratory.doctor.enter_value": lambda g, who: doctor.enter_value(
        g.hub, who, g.rejection_id, field="auth_token", text="taken"
    ),
    "laboratory.endpoints.remove": lambda g, who: endpoints.remove(g.hub, who, g.bin_id),
    "laboratory.simulator.send": lambda g, who: simulator.send(
        g.hub, who, g.item.id, content_type="application/json", text="{}"
    ),
    "vendors.actions.run_action": lambda g, who: actions.run_action(
        g.hub, who, g.acting_id, name="do_nothing", given={}
    ),
    "outgoing.destinations.update": lambda g, who: destinations.update(
        g.hub, who, g.destination.id, draft=DestinationDraft("Taken")
    ),
    "outgoing.destinations.pause": lambda g, who: destinations.pause(g.hub, who, g.destination.id),
    "outgoing.destinations.resume": lambda g, who: destinations.resume(
        g.hub, who, g.destination.id
    ),
    "outgoing.destinations.enable": lambda g, who: destinations.enable(
        g.hub, who, g.destination.id
    ),
    "outgoing.destinations.rotate_signing_secret": lambda g, who: (
        destinations.rotate_signing_secret(g.hub, who, g.destination.id)
    ),
    "outgoing.destinations.remove": lambda g, who: destinations.remove(
        g.hub, who, g.destination.id, typed_name=g.destination.name
    ),
    "outgoing.destinations.reveal_url": lambda g, who: destinations.reveal_url(
        g.hub, who, g.destination.id, password="correct horse battery"
    ),
    "outgoing.routes.update": lambda g, who: routes.update(g.hub, who, g.route.id, g.draft),
    "outgoing.routes.pause": lambda g, who: routes.pause(g.hub, who, g.route.id),
    "outgoing.routes.resume": lambda g, who: routes.resume(g.hub, who, g.route.id),
    "outgoing.routes.remove": lambda g, who: routes.remove(g.hub, who, g.route.id),
    # It adds to what is another's: a route stands between two things of its owner.
    "outgoing.routes.add": lambda g, who: routes.add(g.hub, who, g.draft),
    "outgoing.routes.add_once": lambda g, who: routes.add_once(
        g.hub, who, RouteDraft(g.acting_id, g.place_id)
    ),
    "outgoing.trials.send_test": lambda g, who: trials.send_test(g.hub, who, g.destination.id),
    "events.emission.emit": lambda g, who: emission.emit(
        g.hub, who, Emission(g.item.id, "order.paid", {}, token_name="Zaps", source_ip="")
    ),
    "outgoing.hook_subscriptions.withdraw": lambda g, who: hook_subscriptions.withdraw(
        g.hub, who, g.destination.id, typed_name=g.destination.name
    ),
    "outgoing.hook_subscriptions.unsubscribe": lambda g, who: hook_subscriptions.unsubscribe(
        g.hub, who, g.subscription_id
    ),
    "credentials.rotation.replace_secret": lambda g, who: credential_rotation.replace_secret(
        g.hub, who, g.item.id, field="auth_token", values={"auth_token": "taken"}
    ),
    "credentials.rotation.end_secret_overlap": lambda g, who: (
        credential_rotation.end_secret_overlap(g.hub, who, g.item.id)
    ),
    "credentials.rotation.end_address_overlap": lambda g, who: (
        credential_rotation.end_address_overlap(g.hub, who, g.item.id)
    ),
    "outgoing.secret_overlaps.end_signing_overlap": lambda g, who: (
        secret_overlaps.end_signing_overlap(g.hub, who, g.destination.id)
    ),
    "connections.checks.run_check": lambda g, who: checks.run_check(g.hub, who, g.item.id),
    "outgoing.issue_handling.assign": lambda g, who: issue_handling.assign(
        g.hub, who, g.issue_id, None
    ),
    "outgoing.issue_handling.mute": lambda g, who: issue_handling.mute(
        g.hub, who, g.issue_id, timedelta(hours=1)
    ),
    "outgoing.issue_handling.set_state_of": lambda g, who: issue_handling.set_state_of(
        g.hub, who, [g.issue_id], "resolved"
    ),
    "events.revisions.resend_edited": lambda g, who: revisions.resend_edited(
        g.hub, who, g.event_id, text="{}"
    ),
    "events.samples.save_sample": lambda g, who: samples.save_sample(
        g.hub, who, g.event_id, name="Taken"
    ),
    "events.samples.remove_saved": lambda g, who: samples.remove_saved(g.hub, who, g.sample_id),
    "events.tags.add_tag": lambda g, who: tags.add_tag(g.hub, who, [g.event_id], "taken=yes"),
    "events.tags.remove_tag": lambda g, who: tags.remove_tag(g.hub, who, [g.event_id], TAG),
    "events.reading.retry_event": lambda g, who: events.retry_event(g.hub, who, g.event_id),
    "connections.integrations.update": lambda g, who: integrations.update(
        g.hub, who, g.item.id, name="Taken", values={"account_sid": SID}
    ),
    "connections.copies.duplicate": lambda g, who: integration_copies.duplicate(
        g.hub, who, g.item.id
    ),
    "connections.status_pages.open_page": lambda g, who: status_pages.open_page(
        g.hub, who, g.acting_id
    ),
    "connections.status_pages.close_page": lambda g, who: status_pages.close_page(
        g.hub, who, g.item.id
    ),
    "connections.integrations.pause": lambda g, who: integrations.pause(g.hub, who, g.item.id),
    "connections.integrations.resume": lambda g, who: integrations.resume(g.hub, who, g.item.id),
    "connections.integrations.rotate_address": lambda g, who: integrations.rotate_address(
        g.hub, who, g.item.id
    ),
    "connections.integrations.reissue_secret": lambda g, who: integrations.reissue_secret(
        g.hub, who, g.item.id
    ),
    "connections.integrations.remove": lambda g, who: integrations.remove(
        g.hub, who, g.item.id, typed_name=g.item.name
    ),
    "retention.plans.set_retention": lambda g, who: plans.set_retention(
        g.hub, who, g.item.id, {"payload_days": 7}
    ),
    "outgoing.deliveries.retry_now": lambda g, who: deliveries.retry_now(g.hub, who, g.queued_id),
    "outgoing.deliveries.cancel": lambda g, who: deliveries.cancel(g.hub, who, g.queued_id),
    "outgoing.issues.acknowledge": lambda g, who: issues.acknowledge(g.hub, who, g.issue_id),
    "outgoing.issues.resolve": lambda g, who: issues.resolve(g.hub, who, g.issue_id),
    "outgoing.issues.ignore": lambda g, who: issues.ignore(g.hub, who, g.issue_id),
    "outgoing.issues.reopen": lambda g, who: issues.reopen(g.hub, who, g.issue_id),
    "outgoing.issues.write_note": lambda g, who: issues.write_note(g.hub, who, g.issue_id, "Hm"),
    "outgoing.manual_sends.send_event": lambda g, who: manual_sends.send_event(
        g.hub, who, g.event_id, g.place_id
    ),
    "outgoing.replays.replay_one": lambda g, who: replays.replay_one(g.hub, who, g.dead_id),
}
# They return how many were changed; what is another's is left alone and not counted.
MANY: dict[str, Callable[[Ground, Actor], int]] = {
    "events.bulk.carry_out": lambda g, who: sum(
        _carried_out(g, who, action) for action in bulk.ACTIONS
    ),
    "events.bulk_changes.cancel_queued": lambda g, who: bulk_changes.cancel_queued(
        g.hub, who, [g.queued_id]
    ),
    "events.bulk_changes.resolve_failed": lambda g, who: bulk_changes.resolve_failed(
        g.hub, who, [g.event_id]
    ),
    "events.bulk_changes.retry_failed": lambda g, who: bulk_changes.retry_failed(
        g.hub, who, [g.event_id]
    ),
}
# Not even staff reach what somebody keeps for themselves.
KEPT_ALONE: dict[str, Call] = {
    "lists.saved_views.rename_view": lambda g, who: saved_views.rename_view(
        g.hub, who, g.view_id, name="Taken"
    ),
    "lists.saved_views.remove_view": lambda g, who: saved_views.remove_view(g.hub, who, g.view_id),
}
# Everybody may, each within what is theirs to see; the audit log tells of it.
TAKEN_AWAY: dict[str, Call] = {
    "reports.downloads.make_report": lambda g, who: downloads.make_report(
        g.hub, who, Wanted(f"{now():%Y-%m}", "html", find_zone(None))
    ),
}
FOR_STAFF: dict[str, Call] = {
    "alerts.mail_settings.get_mail_settings": lambda g, who: _with_mail_server(g.hub, who),
    "analytics.scopes.members": lambda g, who: scopes.members(g.hub, who),
    "backups.book.list_backups": lambda g, who: (backups.list_backups(g.hub, who),),
    "backups.schedule.get_schedule": lambda g, who: backups_schedule.get_schedule(g.hub, who),
    "health.report.database_size": lambda g, who: health_report.database_size(g.hub, who),
    "health.report.examine_health": lambda g, who: health_report.examine_health(g.hub, who),
    "vault.key_rotation.key_status": lambda g, who: key_rotation.key_status(g.hub, who),
    "public_address.list_environment": lambda g, who: public_address.list_environment(g.hub, who),
    "public_address.probe_public_url": lambda g, who: public_address.probe_public_url(g.hub, who),
    "lists.exports.export_audit": lambda g, who: "".join(
        exports.export_audit(g.hub, who, AuditFilters(), "jsonl")
    ),
    "retention.hub_ages.get_hub_ages": lambda g, who: hub_ages.get_hub_ages(g.hub, who),
    "retention.hub_ages.list_rounds": lambda g, who: (hub_ages.list_rounds(g.hub, who),),
    "retention.hub_ages.set_hub_ages": lambda g, who: hub_ages.set_hub_ages(g.hub, who, {}),
}
# Adds to the caller's own; there is nothing of another's to reach.
ADDS: dict[str, Call] = {
    "alerts.channels.add": lambda g, who: channels.add(g.hub, who, MAIL_CHANNEL),
    "alerts.kind_mutes.mute_kind": lambda g, who: kind_mutes.mute_kind(g.hub, who, "check_failed"),
    "laboratory.calculator.calculate": lambda g, who: calculator.calculate(
        who, calculator.Question("twilio", URL, "application/json", "{}", {"auth_token": "typed"})
    ),
    "laboratory.endpoints.add": lambda g, who: endpoints.add(
        g.hub, who, kind="bin", name="Another"
    ),
    "outgoing.destinations.add": lambda g, who: add_destination(g.hub, who, "Another"),
    "connections.integrations.add": lambda g, who: make_integration(g.hub, who, "Another"),
    "outgoing.hook_subscriptions.subscribe": lambda g, who: hook_subscriptions.subscribe(
        g.hub, who, SubscriptionDraft(URL)
    ),
    "outgoing.replays.start": lambda g, who: replays.start(
        g.hub, who, replays.dry_run(g.hub, g.ada, DEAD)
    ),
}
REFUSED_TO_ANALYSTS = {
    "events.bulk.match",
    "events.bulk.plan",
    "events.bulk.plan_cancelling",
    "credentials.views.list_credentials",
    "credentials.views.credentials_of",
    "credentials.views.get_credential",
    "credentials.views.find_dependents",
    "outgoing.issue_handling.assignees",
    "outgoing.issue_handling.known_assignees",
    "outgoing.route_reasons.reasons_of_event",
    "events.samples.list_saved",
    "alerts.channels.list_channels",
    "alerts.reading.count_open",
    "alerts.reading.list_alerts",
    "laboratory.doctor.examine",
    "laboratory.endpoints.list_all",
    "laboratory.endpoints.list_requests",
    "laboratory.route_trials.try_route",
    "laboratory.simulator.fill_in",
    "laboratory.simulator.find_event",
    "vendors.actions.list_actions",
    "connections.history.list_history",
    "outgoing.integration_queue.count_open",
    "connections.status_pages.status_url",
    "retention.plans.get_retention",
    "retention.plans.project",
    "outgoing.destinations.count_open",
    "outgoing.issues.count_open",
    "outgoing.issues.get_issue",
    "outgoing.issues.list_issues",
    "outgoing.manual_sends.send_choices",
    "outgoing.rehearsals.count_matches",
    "outgoing.rehearsals.preview",
    "outgoing.replays.dry_run",
    "outgoing.replays.progress",
    "outgoing.routes.get",
    "outgoing.routes.list_all",
    "intake.rejections.get_rejection",
    "intake.rejections.list_reasons",
    "lists.exports.export_rejections",
    "intake.rejections.list_rejections",
}
# What even staff may not do with a member's, and in which words it is refused.
REFUSED_TO_STAFF = {
    "vendors.oauth.begin_install": (InvalidInput, "no apps to authorise"),
    "laboratory.doctor.apply_remedy": (InvalidInput, "no longer what helps"),
    "laboratory.doctor.enter_value": (InvalidInput, "does not pass with this value"),
    "connections.integrations.reissue_secret": (InvalidInput, "no secret to issue"),
    "outgoing.destinations.reveal_url": (NotAllowed, "Only its owner"),
}
READS = LISTS | DETAILS


class DoNothing(Action):
    name = "do_nothing"
    label = "Do nothing"
    help = "Calls no vendor."
    effect = "write"
    input = ActionInput

    def run(self, given: Any, call: ActionCall) -> Any:
        return {}


@dataclass(frozen=True)
class Laid:
    """The ground in a database that nobody has open, and when it was laid."""

    ground: Ground
    at: datetime

    @contextmanager
    def copied(self, folder: Path, request: pytest.FixtureRequest) -> Iterator[Ground]:
        """Yield a ground of one's own."""
        settings = self.ground.hub.settings
        with copied(settings.database_url.get_secret_value(), folder, request) as url:
            own = settings.model_copy(update={"database_url": SecretStr(url)})
            with closing(open_hub(own)) as hub:
                yield dataclasses.replace(self.ground, hub=hub)


@pytest.fixture(scope="module", params=ENGINES)
def laid(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laid]:
    """The ground, laid once per engine."""
    folder = tmp_path_factory.mktemp("laid")
    with copied(template_url(request.param, request), folder, request) as url:
        with (
            closing(open_hub(make_settings(url, folder))) as hub,
            pytest.MonkeyPatch.context() as patch,
        ):
            _call_no_vendor(patch)
            found = Laid(_lay_ground(hub), now())
        yield found


@pytest.fixture(scope="module")
def standing(
    laid: Laid, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """The one that all tests look at which change nothing."""
    with laid.copied(tmp_path_factory.mktemp("standing"), request) as ground:
        yield ground


@pytest.fixture
def common_ground(
    laid: Laid, standing: Ground, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ground]:
    """What belongs to ada, for a test that changes nothing of it."""
    _call_no_vendor(monkeypatch)
    with shifted(laid.at - now()):
        yield standing


@pytest.fixture
def ground(
    laid: Laid, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ground]:
    """What belongs to ada, for a test that changes it."""
    _call_no_vendor(monkeypatch)
    with shifted(laid.at - now()), laid.copied(tmp_path, request) as own:
        yield own


def _call_no_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    use_targets(monkeypatch)
    twilio = type(get_provider("twilio"))
    answer = CheckResult("verified", CHECK_ANSWER)
    monkeypatch.setattr(twilio, "check", lambda *_: answer)
    monkeypatch.setattr(twilio, "actions", (DoNothing(),))
    monkeypatch.setattr(twilio, "budget", GoHighLevel.budget)
    answered = SimpleNamespace(status_code=200, headers={}, text="", elapsed=timedelta(0))
    monkeypatch.setattr("requests.Session.post", lambda *_, **__: answered)


def _lay_ground(hub: Hub) -> Ground:
    """Make a connection of ada's with an event, a refusal and counts, and who else there is."""
    ada = make_user(hub)
    item = make_integration(hub, ada)
    values = {"account_sid": SID, "from_number": NUMBER}
    integrations.update(hub, ada, item.id, name=item.name, values=values)
    checks.run_check(hub, ada, item.id)
    status_pages.open_page(hub, ada, item.id)
    make_rollup(hub, item, 3)
    make_rollup(hub, item, 1, outcome="rejected", event_type="wrong_signature")
    event_id = make_event(hub, item, status="failed")
    make_event(hub, item, status="pending")
    tags.add_tag(hub, ada, [event_id], TAG)
    destination = add_destination(hub, ada, kind="keyed_hook").destination
    filters = [{"path": "data.From", "operator": "equals", "value": LOOKED_FOR}]
    route = add_route(hub, ada, item, destination, filters=filters)
    make_event(hub, item)
    make_delivery(hub, event_id, destination)
    make_delivery_rollup(hub, destination, 5)
    make_delivery_rollup(hub, destination, 2, outcome="dead")
    _make_figures(hub, ada, item, destination=destination)
    make_budget(hub, "twilio", SID)
    make_grant(hub, item, facts={"company_id": "Grace's agency"})
    place = make_destination(hub, ada, kind="plain_hook")
    dead = make_delivery(hub, event_id, place, status="dead")
    make_attempt(hub, dead, outcome="dead")
    order = replays.start(hub, ada, replays.dry_run(hub, ada, DEAD))
    trial = endpoints.add(hub, ada, kind="bin", name="Bin")
    plan = plan_answer(hub, trial.url.rpartition("/")[2])
    keep_request(hub, plan, Arrived("POST", "", {}, b"{}", "192.0.2.1"))
    issue_id = make_issue(hub, dead)
    issue_handling.assign(hub, ada, issue_id, ada.id)
    view = saved_views.save_view(hub, ada, page="activity", name=KEPT_VIEW, query="search=Grace")
    assert view.id
    return Ground(
        hub,
        ada,
        item,
        event_id,
        bob=make_user(hub, "bob@example.com"),
        staff=make_user(hub, "sam@example.com", "staff"),
        analyst=make_user(hub, "ana@example.com", "analyst"),
        rejection_id=make_rejection(hub, item),
        place_id=place.id,
        queued_id=make_delivery(hub, event_id, place).id,
        dead_id=dead.id,
        issue_id=issue_id,
        replay_id=order.id,
        bin_id=trial.id,
        sample_id=samples.save_sample(hub, ada, event_id, name="Kept").id,
        channel_id=channels.add(hub, ada, MAIL_CHANNEL),
        alert_id=_make_alert(hub, ada),
        view_id=view.id,
        destination=destination,
        route=route,
        acting_id=make_integration(hub, ada, "Acting desk").id,
        subscription_id=make_destination(
            hub, ada, "Zap", kind="plain_hook", config_data={"subscription": SUBSCRIBED}
        ).id,
    )


def _make_figures(hub: Hub, ada: Actor, item: Integration, *, destination: DestinationView) -> None:
    """Count a failure, messages and waits of this hour, and five busy hours of last month."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    count_failures(hub, destination, hour)
    count_messages(hub, item, hour)
    count_waits(hub, item, hour)
    quiet = make_integration(hub, ada, "Busy no longer")
    for number in range(5):
        count_received(hub, quiet, hour - timedelta(days=20, hours=number))


def test_every_public_use_case_has_an_entry() -> None:
    found = {
        f"{module.__name__.removeprefix('lib.')}.{name}"
        for module in MODULES
        for name in _public_functions(module)
    }
    own = ADDS.keys() | TAKEN_AWAY.keys() | FOR_STAFF.keys() | KEPT_ALONE.keys()
    assert found == READS.keys() | ACTIONS.keys() | MANY.keys() | own | NOT_FOR_USERS


def test_another_member_sees_nothing(common_ground: Ground) -> None:
    ground, hub, bob = common_ground, common_ground.hub, common_ground.bob
    for name, call in LISTS.items():
        assert not call(ground, bob), name
    for name, call in DETAILS.items():
        with pytest.raises(NotFound):
            pytest.fail(f"{name} returned {call(ground, bob)}")
    for search in (SMS["From"], "Hopper", ground.event_id):
        assert not events.list_events(hub, bob, EventFilters(search=search)).rows
    narrowed = EventFilters(integration_id=ground.item.id)
    assert not events.list_events(hub, bob, narrowed).rows
    for asked in (
        DeliveryFilters(event_id=ground.event_id),
        DeliveryFilters(destination_id=ground.place_id),
        DeliveryFilters(issue_id=ground.issue_id),
        DeliveryFilters(ids=(ground.dead_id, ground.queued_id)),
    ):
        assert not deliveries.list_deliveries(hub, bob, asked).rows
        seen = replays.dry_run(hub, bob, asked)
        assert (seen.count, seen.left_out) == (0, ())


@pytest.mark.parametrize("name", ACTIONS)
def test_another_member_changes_nothing(common_ground: Ground, name: str) -> None:
    before = _everything(common_ground.hub)
    with pytest.raises(NotFound):
        ACTIONS[name](common_ground, common_ground.bob)
    assert _everything(common_ground.hub) == before


@pytest.mark.parametrize("name", MANY)
def test_another_member_changes_none_of_many(common_ground: Ground, name: str) -> None:
    before = _everything(common_ground.hub)
    assert MANY[name](common_ground, common_ground.bob) == 0
    assert _everything(common_ground.hub) == before


@pytest.mark.parametrize("name", READS)
def test_the_owner_and_staff_see_it(common_ground: Ground, name: str) -> None:
    read = READS[name]
    assert read(common_ground, common_ground.ada)
    seen = repr(read(common_ground, common_ground.staff))
    assert seen == repr(read(common_ground, common_ground.ada))


@pytest.mark.parametrize("name", ACTIONS)
def test_staff_may_act_on_all(ground: Ground, name: str) -> None:
    before = _everything(ground.hub)
    if name in REFUSED_TO_STAFF:
        error, words = REFUSED_TO_STAFF[name]
        with pytest.raises(error, match=words):
            ACTIONS[name](ground, ground.staff)
        assert _everything(ground.hub) == before
        return
    ACTIONS[name](ground, ground.staff)
    assert _everything(ground.hub) != before


@pytest.mark.parametrize("name", MANY)
def test_staff_may_change_many(ground: Ground, name: str) -> None:
    before = _everything(ground.hub)
    assert MANY[name](ground, ground.staff) > 0
    assert _everything(ground.hub) != before


@pytest.mark.parametrize("name", sorted(READS.keys() - REFUSED_TO_ANALYSTS))
def test_an_analyst_sees_no_person(common_ground: Ground, name: str) -> None:
    shown = READS[name](common_ground, common_ground.analyst)
    assert shown
    # An id's digits can be those of a secret's last four by chance, and ids are no secret.
    written = _OWN_IDS.sub("", repr(shown))
    for secret in (*PERSONAL, common_ground.token):
        assert secret not in written, (name, secret)


def test_what_is_hidden_is_there_to_be_hidden(common_ground: Ground) -> None:
    written = "".join(repr(call(common_ground, common_ground.ada)) for call in READS.values())
    for personal in (*PERSONAL, common_ground.token):
        assert (personal in written) is (personal not in NEVER_SHOWN), personal


@pytest.mark.parametrize(
    "name", sorted(REFUSED_TO_ANALYSTS | ACTIONS.keys() | MANY.keys() | ADDS.keys())
)
def test_an_analyst_is_refused(common_ground: Ground, name: str) -> None:
    before = _everything(common_ground.hub)
    with pytest.raises(NotAllowed):
        (READS | ACTIONS | MANY | ADDS)[name](common_ground, common_ground.analyst)
    assert _everything(common_ground.hub) == before


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_what_is_taken_away_holds_what_its_reader_sees(ground: Ground, name: str) -> None:
    readers = (ground.ada, ground.staff, ground.analyst)
    texts = {who.role: TAKEN_AWAY[name](ground, who) for who in readers}
    for text in texts.values():
        assert ground.item.name in text
        assert ground.destination.name in text
    for secret in (*PERSONAL, ground.token):
        assert secret not in _OWN_IDS.sub("", texts[ground.analyst.role]), secret
    others = TAKEN_AWAY[name](ground, ground.bob)
    for own in (ground.item.name, ground.destination.name, "receiving server failed"):
        assert own not in others


@pytest.mark.parametrize("name", FOR_STAFF)
def test_what_is_for_staff_is_refused_to_others(ground: Ground, name: str) -> None:
    assert FOR_STAFF[name](ground, ground.staff)
    for who in (ground.ada, ground.analyst):
        with pytest.raises(NotAllowed):
            FOR_STAFF[name](ground, who)


def test_a_kept_view_is_its_owners_alone(ground: Ground) -> None:
    kept = _kept_views(ground, ground.ada)
    assert [view.name for view in kept] == [KEPT_VIEW]
    for who in (ground.bob, ground.staff, ground.analyst):
        assert not _kept_views(ground, who)
        for call in KEPT_ALONE.values():
            with pytest.raises(NotFound):
                call(ground, who)
        saved_views.save_view(ground.hub, who, page="activity", name=KEPT_VIEW, query="status=dead")
    assert _kept_views(ground, ground.ada) == kept
    for call in KEPT_ALONE.values():
        call(ground, ground.ada)
    assert not _kept_views(ground, ground.ada)


def test_an_analyst_cannot_search(common_ground: Ground) -> None:
    with pytest.raises(NotAllowed, match="cannot search"):
        events.list_events(common_ground.hub, common_ground.analyst, EventFilters(search="Hopper"))


def _public_functions(module: ModuleType) -> list[str]:
    return [
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


def _planned(ground: Ground, who: Actor, action: str) -> bulk.Plan:
    tag = TAG if action == "untag" else "taken=yes"
    return bulk.plan(ground.hub, who, action, [ground.event_id], tag=tag)


def _carried_out(ground: Ground, who: Actor, action: str) -> int:
    """Return how much of ada's plan was done."""
    steps = list(bulk.carry_out(ground.hub, who, _planned(ground, ground.ada, action)))
    return steps[-1].done if steps else 0


def _kept_views(ground: Ground, who: Actor) -> list[saved_views.View]:
    return [view for view in saved_views.list_views(ground.hub, who, "activity") if view.id]


def _with_mail_server(hub: Hub, who: Actor) -> Any:
    if who.sees_all and who.role == "staff":
        draft = MailDraft("mail.example.com", 587, "starttls", sender="hub@example.com")
        mail_settings.set_mail_settings(hub, who, draft)
    return mail_settings.get_mail_settings(hub, who)


def _make_alert(hub: Hub, owner: Actor) -> str:
    row = Alert(
        id=new_id("alr"),
        user_id=owner.id,
        kind="check_failed",
        object_id="int_1",
        state="open",
        title="Grace's check failed",
        message="Refused.",
        path="integrations",
        count=1,
        first_seen_at=now(),
        last_seen_at=now(),
    )
    with hub.database.write() as session:
        session.add(row)
    return row.id


def _figures(tiles: overview.Tiles) -> list[int]:
    """Return the figures that are not zero, so that an empty hub gives an empty list."""
    return [n for n in (tiles.received, tiles.rejected, tiles.failed, tiles.queue.events) if n]


def _all_of(tiles: overview.Tiles, cards: list[overview.Card]) -> list[Any]:
    return [*_figures(tiles), *cards]


def _week() -> Period:
    return period_of("7d", find_zone(None))


def _counted(found: span_figures.Figures) -> list[int]:
    return [n for n in (found.received, found.rejected, found.delivered, found.dead) if n]


def _reported(report: monthly.Report) -> list[Any]:
    """Return the parts that are empty for whom nothing belongs to."""
    parts = (report.integrations, report.destinations, report.causes, report.incidents.heaviest)
    return [part for part in parts if part]


def _tried(trial: route_trials.RouteTrial) -> Any:
    """Return what does not change with the time of day."""
    return trial.conditions, trial.body


def _sent(integration_id: str) -> simulator.Simulated:
    """Return a sending whose id stands in the headers of ada's event."""
    return simulator.Simulated("header-words", integration_id, 200, "", "", 1, now())


def _written(shown: RouteView | rehearsals.Preview | None) -> dict[str, Any]:
    """Return all of it, for its `repr` leaves out what may be a person's."""
    assert shown
    return dataclasses.asdict(shown)


def _everything(hub: Hub) -> str:
    tables = (
        IntegrationConfig,
        WebhookEvent,
        RejectedRequest,
        ApiCall,
        AuditEntry,
        User,
        Destination,
        Route,
        Delivery,
        Issue,
        OAuthGrant,
        Replay,
        SavedSample,
        SavedView,
        TrialEndpoint,
        Alert,
        AlertChannel,
    )
    with hub.database.read() as session:
        return repr([session.exec(select(table).order_by(table.id)).all() for table in tables])
