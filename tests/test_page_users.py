"""The screens of staff about people: users, invitations, the audit log."""

from collections.abc import Iterator

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from lib import audit
from lib.audit_chain import chain_new
from lib.hub import Hub
from lib.models import User
from lib.people import api_tokens, passwords
from lib.people.account_links import invite, look_up, redeem
from lib.people.sign_in import authenticate
from lib.people.users import find_user, list_users
from tests.factories import make_user
from tests.visitors import Visitor, visiting

NEW = "another good password"


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    monkeypatch.setattr(passwords, "COST", 4)
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def link_of(script: AppTest) -> str:
    (shown,) = [each.value for each in script.code if "#link=" in each.value]
    return str(shown.partition("#link=")[2])


def open_link(visitor: Visitor, token: str) -> AppTest:
    """Come with the cookie into which the browser puts what stands behind the #."""
    visitor.cookies.clear()
    visitor.cookies["hub_link"] = token
    return visitor.open()


def test_an_invitation_is_shown_once_and_lets_its_user_in(visitor: Visitor) -> None:
    visitor.sign_in("staff")
    script = visitor.open("users")
    script.button(key="users_invite_open").click().run()
    script.text_input(key="users_email").input("nora@example.com")
    script.selectbox(key="users_role").set_value("analyst")
    next(each for each in script.button if each.label == "Make the link").click().run()
    token = link_of(script)
    assert look_up(visitor.hub, token).email == "nora@example.com"
    script.button(key="users_copied").click().run()
    assert not [each for each in script.code if token in each.value]

    stranger = open_link(visitor, token)
    stranger.text_input(key="account_link_new").input(NEW)
    stranger.text_input(key="account_link_again").input(NEW)
    stranger.button[0].click().run()
    nora = find_user(visitor.hub, "nora@example.com")
    assert authenticate(visitor.hub, "nora@example.com", password=NEW, ip="local") == nora


def test_a_spent_link_says_what_to_do(visitor: Visitor) -> None:
    link = invite(visitor.hub, None, email="nora@example.com", name="", role="member")
    redeem(visitor.hub, link.token, password=NEW)
    stranger = open_link(visitor, link.token)
    assert "Ask staff for a new one" in stranger.error[0].value
    stranger.button(key="account_link_leave").click().run()
    assert [each.label for each in stranger.text_input] == ["E-mail", "Password"]


def test_staff_change_a_role_and_shut_out(visitor: Visitor) -> None:
    sam = visitor.sign_in("staff")
    ada = make_user(visitor.hub)
    script = visitor.open("users")
    script.selectbox(key=f"users_role_{ada.id}").set_value("analyst").run()
    script.button(key=f"users_shut_{ada.id}").click().run()
    account = next(item for item in list_users(visitor.hub, sam) if item.id == ada.id)
    assert (account.role.value, account.is_active) == ("analyst", False)
    script.button(key=f"users_let_{ada.id}").click().run()
    assert find_user(visitor.hub, ada.email) is not None


def test_a_password_link_is_made_for_whoever_forgot(visitor: Visitor) -> None:
    visitor.sign_in("staff")
    link = invite(visitor.hub, None, email="nora@example.com", name="", role="member")
    redeem(visitor.hub, link.token, password=NEW)
    script = visitor.open("users")
    script.button(key=f"users_link_{link.user_id}").click().run()
    assert look_up(visitor.hub, link_of(script)).purpose == "reset"


def test_the_filters_narrow_the_list(visitor: Visitor) -> None:
    visitor.sign_in("staff")
    make_user(visitor.hub)
    script = visitor.open("users")
    script.text_input(key="users_q").input("ADA@").run()
    assert "1 user of 2." in [each.value for each in script.caption]
    script.text_input(key="users_q").input("nobody at all").run()
    assert "No user matches" in script.info[0].value


def test_a_token_of_another_is_revoked_after_a_question(visitor: Visitor) -> None:
    ada = make_user(visitor.hub)
    issued = api_tokens.create(visitor.hub, ada, name="Zap", scopes=["actions"])
    visitor.sign_in("staff")
    script = visitor.open("users")
    script.segmented_control(key="users_view").set_value("API tokens").run()
    assert script.query_params["view"] == "API tokens"
    table = script.dataframe[0]
    assert table.value["owner"].tolist() == ["ada@example.com"]
    assert issued.secret not in str(table.value)
    script.session_state["users_tokens"] = {"selection": {"rows": [0], "columns": []}}
    script.run()
    script.button(key="users_token_revoke").click().run()
    script.button(key="users_token_confirm").click().run()
    assert api_tokens.authenticate(visitor.hub, issued.secret) is None
    assert "Zap is revoked" in script.toast[0].value


@pytest.mark.parametrize("page", ["users", "audit"])
@pytest.mark.parametrize("role", ["member", "analyst"])
def test_others_are_told_that_it_is_not_for_them(visitor: Visitor, role: str, page: str) -> None:
    visitor.sign_in(role)
    script = visitor.run_alone(page)
    assert "not for the role" in script.error[0].value
    assert not script.dataframe


def test_the_audit_log_is_read_filtered_and_verified(visitor: Visitor) -> None:
    sam = visitor.sign_in("staff")
    with visitor.hub.database.write() as session:
        changes = audit.difference({"role": "a"}, {"role": ""})
        audit.record(session, sam, "user.role_set", "int_1", changes=changes, fields="")
        # As a release before this one wrote it.
        audit.record(session, sam, "integration.renamed", "int_1", before="a", after="b")
    chain_new(visitor.hub)
    script = visitor.open("audit")
    shown = script.dataframe[0].value
    assert list(shown["action"]) == ["Integration renamed", "Changed a role"]
    assert list(shown["details"]) == ["a → b", "role: a → none"]
    script.selectbox(key="audit_about").set_value("user").run()
    assert list(script.dataframe[0].value["action"]) == ["Changed a role"]
    assert script.query_params["about"] == "user"
    script.button(key="audit_verify").click().run()
    assert "All 2 chained entries" in script.success[0].value
    with visitor.hub.database.read() as session:
        assert session.exec(select(User)).all()
