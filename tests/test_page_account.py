"""The account page: own profile, own password, own sessions, own tokens."""

from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from streamlit.testing.v1 import AppTest

from lib.clock import now
from lib.hub import Hub
from lib.people import api_tokens, passwords, second_factor
from lib.people.sessions import is_live, list_sessions, start_session
from lib.people.sign_in import authenticate
from lib.people.users import add_user, find_user
from tests.factories import make_user
from tests.visitors import Visitor, visiting

PASSWORD = "correct horse battery"
NEW = "another good password"


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """A browser in front of `sqlite_hub`, where hashing is cheap."""
    monkeypatch.setattr(passwords, "COST", 4)
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


@pytest.mark.parametrize("role", ["member", "staff", "analyst"])
def test_every_role_sees_its_own_profile(visitor: Visitor, role: str) -> None:
    visitor.sign_in(role)
    script = visitor.open("account")
    shown = [each.value for each in script.text]
    assert f"{role}@example.com" in shown
    assert role.capitalize() in shown
    assert not script.exception


def test_a_new_password_is_stored_and_ends_the_other_sessions(visitor: Visitor) -> None:
    ada, _ = add_user(
        visitor.hub, email="ada@example.com", name="Ada", role="member", password=PASSWORD
    )
    elsewhere, _ = start_session(visitor.hub, ada, ip="203.0.113.9", user_agent="")
    here = visitor.sign_in_as(ada)
    script = visitor.open("account")
    script.text_input(key="account_current").input(PASSWORD)
    script.text_input(key="account_new").input(NEW)
    script.text_input(key="account_again").input(NEW)
    next(each for each in script.button if each.label == "Change password").click().run()

    assert "Your password is changed" in script.success[0].value
    assert authenticate(visitor.hub, ada.email, password=NEW, ip="local") == ada
    assert is_live(visitor.hub, here)
    assert not is_live(visitor.hub, elsewhere)


@pytest.mark.parametrize(
    ("new", "again", "message"),
    [(NEW, NEW + "x", "differ"), ("short", "short", "at least 12 characters")],
)
def test_a_refused_password_is_explained(
    visitor: Visitor, new: str, again: str, message: str
) -> None:
    visitor.sign_in("member")
    script = visitor.open("account")
    script.text_input(key="account_current").input(PASSWORD)
    script.text_input(key="account_new").input(new)
    script.text_input(key="account_again").input(again)
    next(each for each in script.button if each.label == "Change password").click().run()
    assert message in script.error[0].value


def test_signing_out_everywhere_else_keeps_this_browser_and_other_users(
    visitor: Visitor,
) -> None:
    ada, bob = make_user(visitor.hub), make_user(visitor.hub, "bob@example.com")
    for actor in (ada, bob):
        start_session(visitor.hub, actor, ip="203.0.113.9", user_agent="")
    here = visitor.sign_in_as(ada)
    script = visitor.open("account")
    others = [each for each in script.button if each.label == "End"]
    assert len(others) == 1
    script.button(key="account_end_others").click().run()
    assert [row.id for row in list_sessions(visitor.hub, ada)] == [here]
    assert len(list_sessions(visitor.hub, bob)) == 1
    assert script.button(key="account_end_others").disabled


def test_a_one_time_password_leaves_only_the_change(visitor: Visitor) -> None:
    ada, one_time = add_user(visitor.hub, email="ada@example.com", name="Ada", role="staff")
    visitor.sign_in_as(ada)
    script = visitor.open("overview")
    assert [each.value for each in script.title] == ["Choose your own password"]
    script.text_input(key="account_current").input(one_time)
    script.text_input(key="account_new").input(NEW)
    script.text_input(key="account_again").input(NEW)
    script.button[0].click().run()
    assert [each.value for each in script.title] != ["Choose your own password"]
    assert not authenticate(visitor.hub, ada.email, password=NEW, ip="local").must_change_password


def create_button(script: AppTest) -> Any:
    return next(each for each in script.button if each.label == "Create token")


def test_a_token_is_made_shown_once_and_revoked(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    script = visitor.open("account")
    script.text_input(key="account_token_name").input("Zapier")
    script.multiselect(key="account_token_scopes").set_value(["read:events", "actions"])
    script.selectbox(key="account_token_days").set_value(30)
    create_button(script).click().run()
    assert not script.exception
    (secret,) = [each.value for each in script.code if each.value.startswith("hub_")]
    caller = api_tokens.authenticate(visitor.hub, secret)
    assert caller is not None
    assert caller.actor == ada
    assert caller.scopes == {"read:events", "actions"}
    assert caller.token.expires_at is not None
    assert script.text_input(key="account_token_name").value == ""
    script.button(key="account_copied").click().run()
    assert not [each for each in script.code if each.value == secret]
    shown = " ".join(each.value for each in (*script.markdown, *script.caption))
    assert f"…{secret[-4:]}" in shown
    assert "never used" in shown
    assert secret not in shown
    script.button(key=f"account_token_revoke_{caller.token.id}").click().run()
    assert not script.exception
    assert api_tokens.authenticate(visitor.hub, secret) is None
    assert "No tokens yet" in script.info[0].value


def test_a_token_without_scopes_is_explained(visitor: Visitor) -> None:
    ada = visitor.sign_in("analyst")
    script = visitor.open("account")
    script.text_input(key="account_token_name").input("Zapier")
    create_button(script).click().run()
    assert "Choose at least one scope" in script.error[0].value
    assert script.text_input(key="account_token_name").value == "Zapier"
    script.multiselect(key="account_token_scopes").set_value(["read:events"])
    create_button(script).click().run()
    assert not script.error
    assert [token.name for token in api_tokens.list_tokens(visitor.hub, ada)] == ["Zapier"]


def test_one_other_browser_is_ended(visitor: Visitor) -> None:
    ada = make_user(visitor.hub)
    other, _ = start_session(visitor.hub, ada, ip="203.0.113.9", user_agent="")
    here = visitor.sign_in_as(ada)
    script = visitor.open("account")
    script.button(key=f"account_end_{other}").click().run()
    assert [row.id for row in list_sessions(visitor.hub, ada)] == [here]


def test_the_own_name_is_changed(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    script = visitor.open("account")
    script.text_input(key="account_name").input("  Ada   Lovelace ")
    next(each for each in script.button if each.label == "Save").click().run()
    renamed = find_user(visitor.hub, ada.email)
    assert renamed is not None
    assert renamed.name == "Ada Lovelace"


def test_the_second_factor_is_set_up_and_its_secret_leaves_the_page(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    script = visitor.open("account")
    script.button(key="account_factor_begin").click().run()
    secret = script.code[0].value
    script.text_input(key="account_factor_code").input("000000")
    next(each for each in script.button if each.label == "Turn on").click().run()
    assert "code is wrong" in script.error[0].value
    script.text_input(key="account_factor_code").input(pyotp.TOTP(secret).at(now()))
    next(each for each in script.button if each.label == "Turn on").click().run()
    assert second_factor.is_asked_for(visitor.hub, ada)
    shown = [each.value for each in script.code]
    assert secret not in shown
    assert len(shown[0].split()) == second_factor.RECOVERY_CODES
    script.button(key="account_factor_copied").click().run()
    assert not [each for each in script.code if "-" in each.value]
