"""What an analyst sees in place of personal data."""

from lib.masking import HIDDEN, mask_payload


def test_the_shape_stays_and_texts_go() -> None:
    masked = mask_payload({"type": "ContactCreate", "tags": ["vip"], "who": {"name": "Grace"}})
    assert masked == {"type": "ContactCreate", "tags": [HIDDEN], "who": {"name": HIDDEN}}


def test_numbers_that_may_be_phones_or_accounts_go() -> None:
    assert mask_payload({"total": 42, "phone": 14155550123, "paid": True, "note": None}) == {
        "total": 42,
        "phone": HIDDEN,
        "paid": True,
        "note": None,
    }


def test_a_long_text_under_a_shown_key_goes() -> None:
    assert mask_payload({"type": "x" * 41}) == {"type": HIDDEN}


def test_a_bare_value_is_masked() -> None:
    assert mask_payload("Grace") == HIDDEN
    assert mask_payload(["+14155550123"]) == [HIDDEN]
