"""Contacts: find, read, create, change and remove them, and tag them.

What would double on a repetition counts as "send", so that nothing repeats it by itself.
"""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.gohighlevel import endpoints
from lib.providers.gohighlevel.actions.inputs import Email, Id, Line, Phone, vendor_fields
from lib.providers.gohighlevel.api import Api

# https://marketplace.gohighlevel.com/docs/ghl/contacts/search-contacts-advanced
_REACHED_BY_PAGES = 10_000
_CONTACT = Field(title="Contact id", description="The end of the contact's address in HighLevel.")


class OneContact(ActionInput):
    """Which contact."""

    contact_id: Id = _CONTACT


class ContactFields(ActionInput):
    """What a contact holds; what is left blank stays as it is."""

    first_name: Line | None = Field(None, title="First name", description="Given name.")
    last_name: Line | None = Field(None, title="Last name", description="Family name.")
    name: Line | None = Field(
        None, title="Full name", description="In place of first and last name."
    )
    email: Email | None = Field(None, title="E-mail", description="An e-mail address.")
    phone: Phone | None = Field(
        None, title="Phone", description="With + and country code, such as +14155550123."
    )
    company_name: Line | None = Field(None, title="Company", description="Where they work.")
    address1: Line | None = Field(None, title="Street", description="Street and number.")
    city: Line | None = Field(None, title="City", description="Town or city.")
    state: Line | None = Field(None, title="State", description="State or province.")
    postal_code: Line | None = Field(None, title="Postal code", description="Postal or ZIP code.")
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, title="Country", description="Two letters, such as US."
    )
    website: Line | None = Field(None, title="Website", description="An address of the web.")
    timezone: Line | None = Field(
        None, title="Time zone", description="By its IANA name, such as America/New_York."
    )
    source: Line | None = Field(None, title="Source", description="Where the contact came from.")
    assigned_to: Id | None = Field(
        None, title="Assigned to", description="The id of a HighLevel user."
    )
    custom_fields: dict[Id, str] | None = Field(
        None, title="Custom fields", description="Values by the id of the custom field."
    )


class NewContact(ContactFields):
    """A contact with its tags."""

    tags: list[Line] | None = Field(
        None, max_length=50, title="Tags", description="Tags to begin with."
    )

    @model_validator(mode="after")
    def _check_reachable(self) -> Self:
        if not (self.email or self.phone):
            raise ValueError("enter an e-mail address or a phone number")
        return self


class ChangedContact(ContactFields, OneContact):
    """A contact and what changes of it."""


class ContactSearch(ActionInput):
    """What to look for, and which page of what is found."""

    query: Annotated[str, Field(max_length=75)] | None = Field(
        None, title="Search for", description="Part of a name, e-mail address or phone number."
    )
    email: Email | None = Field(
        None, title="E-mail", description="Only the contact with exactly this address."
    )
    phone: Phone | None = Field(
        None, title="Phone", description="Only the contact with exactly this number."
    )
    page: int = Field(1, ge=1, title="Page", description="The first page is 1.")
    page_limit: int = Field(20, ge=1, le=100, title="Per page", description="At most 100.")

    @model_validator(mode="after")
    def _check_reach(self) -> Self:
        if self.page * self.page_limit > _REACHED_BY_PAGES:
            raise ValueError("pages reach the first 10,000 contacts; search for less")
        return self


class ContactTags(OneContact):
    """A contact and tags."""

    tags: list[Line] = Field(
        min_length=1, max_length=50, title="Tags", description="One or more tags."
    )


class SearchContacts(Action):
    """HighLevel's index lags some seconds behind changes."""

    name = "search_contacts"
    label = "Search contacts"
    help = "Finds contacts by name, e-mail address or phone number."
    effect = "read"
    input = ContactSearch

    def run(self, given: ContactSearch, call: ActionCall) -> Any:
        """Return `contacts` and `total`."""
        api = Api.of(call)
        filters = [
            {"field": name, "operator": "eq", "value": value}
            for name, value in (("email", given.email), ("phone", given.phone))
            if value
        ]
        body: dict[str, Any] = {
            "locationId": api.location_id,
            "page": given.page,
            "pageLimit": given.page_limit,
        }
        if given.query:
            body["query"] = given.query
        if filters:
            body["filters"] = filters
        return api.ask(endpoints.SEARCH_CONTACTS, json=body)


class GetContact(Action):
    """Reads by id, which sees changes at once."""

    name = "get_contact"
    label = "Get a contact"
    help = "Reads one contact with all its fields."
    effect = "read"
    input = OneContact

    def run(self, given: OneContact, call: ActionCall) -> Any:
        """Return `contact`."""
        return Api.of(call).ask(endpoints.GET_CONTACT, ids={"contact_id": given.contact_id})


class CreateContact(Action):
    """Where the location allows duplicates, repeating it makes a second contact."""

    name = "create_contact"
    label = "Create a contact"
    help = "Adds a contact. Use upsert where it may be there already."
    effect = "send"
    input = NewContact

    def run(self, given: NewContact, call: ActionCall) -> Any:
        """Return `contact`."""
        api = Api.of(call)
        return api.ask(endpoints.CREATE_CONTACT, json=_contact_body(given, api.location_id))


class UpsertContact(Action):
    """Matches as the location's setting for duplicates says."""

    name = "upsert_contact"
    label = "Create or update a contact"
    help = "Finds the contact by e-mail address or phone number and updates it, or adds it."
    effect = "write"
    input = NewContact

    def run(self, given: NewContact, call: ActionCall) -> Any:
        """Return `contact`, and `new` which says whether it was added."""
        api = Api.of(call)
        return api.ask(endpoints.UPSERT_CONTACT, json=_contact_body(given, api.location_id))


class UpdateContact(Action):
    """Leaves tags alone, for HighLevel would replace all of them."""

    name = "update_contact"
    label = "Update a contact"
    help = "Changes the fields that are filled in. Tags have actions of their own."
    effect = "write"
    input = ChangedContact

    def run(self, given: ChangedContact, call: ActionCall) -> Any:
        """Return `contact`."""
        return Api.of(call).ask(
            endpoints.UPDATE_CONTACT,
            ids={"contact_id": given.contact_id},
            json=_contact_body(given, None),
        )


class DeleteContact(Action):
    """Takes conversations and appointments of the contact with it."""

    name = "delete_contact"
    label = "Delete a contact"
    help = "Removes the contact from HighLevel."
    effect = "write"
    input = OneContact

    def run(self, given: OneContact, call: ActionCall) -> Any:
        """Return `succeeded`."""
        return Api.of(call).ask(endpoints.DELETE_CONTACT, ids={"contact_id": given.contact_id})


class AddTags(Action):
    """Adds to what is there."""

    name = "add_tags"
    label = "Add tags to a contact"
    help = "Adds tags; those that are there already stay."
    effect = "write"
    input = ContactTags

    def run(self, given: ContactTags, call: ActionCall) -> Any:
        """Return all `tags` of the contact."""
        return Api.of(call).ask(
            endpoints.ADD_TAGS, ids={"contact_id": given.contact_id}, json={"tags": given.tags}
        )


class RemoveTags(Action):
    """The counterpart of adding."""

    name = "remove_tags"
    label = "Remove tags from a contact"
    help = "Removes the named tags; others stay."
    effect = "write"
    input = ContactTags

    def run(self, given: ContactTags, call: ActionCall) -> Any:
        """Return the `tags` that are left."""
        return Api.of(call).ask(
            endpoints.REMOVE_TAGS, ids={"contact_id": given.contact_id}, json={"tags": given.tags}
        )


def _contact_body(given: ContactFields, location_id: str | None) -> dict[str, Any]:
    """Return the contact as HighLevel takes it; a location is stated for new ones alone."""
    body = vendor_fields(given, leave_out={"contact_id", "custom_fields"})
    if given.custom_fields:
        body["customFields"] = [
            {"id": name, "field_value": value} for name, value in given.custom_fields.items()
        ]
    return body if location_id is None else {"locationId": location_id, **body}
