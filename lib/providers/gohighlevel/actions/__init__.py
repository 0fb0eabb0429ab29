"""What HighLevel can be asked to do in one location."""

from lib.providers.actions import Action
from lib.providers.gohighlevel.actions import (
    calendars,
    contacts,
    conversations,
    location,
    notes,
    opportunities,
    workflows,
)

ACTIONS: tuple[Action, ...] = (
    contacts.SearchContacts(),
    contacts.GetContact(),
    contacts.CreateContact(),
    contacts.UpsertContact(),
    contacts.UpdateContact(),
    contacts.DeleteContact(),
    contacts.AddTags(),
    contacts.RemoveTags(),
    notes.ListNotes(),
    notes.AddNote(),
    notes.ListTasks(),
    notes.AddTask(),
    conversations.SearchConversations(),
    conversations.ListMessages(),
    conversations.SendMessage(),
    calendars.ListCalendars(),
    calendars.FindFreeSlots(),
    calendars.BookAppointment(),
    calendars.UpdateAppointment(),
    workflows.ListWorkflows(),
    workflows.AddContactToWorkflow(),
    workflows.RemoveContactFromWorkflow(),
    opportunities.SearchOpportunities(),
    opportunities.ListPipelines(),
    opportunities.CreateOpportunity(),
    opportunities.UpdateOpportunityStatus(),
    location.GetLocation(),
)
