"""The canonical form of a name: one form for all its spellings, and the same again when it is taken of itself."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authsvc.errors import ValidationFailed
from authsvc.services import names

# Letters with several cases, widths, compositions and expansions, and some that are none.
ODD = st.text(
    st.sampled_from("aAzZ09._+-ßẞﬁﬃıİIſKÅåσΣςéÉe\u0301ａＡ①㌖ᴹⅸ中한ไ٣२\u200b\u00ad \t@＠。"), min_size=1, max_size=12
)


def refused(form, text):
    with pytest.raises(ValidationFailed):
        form(text)
    return True


@given(ODD | st.text(min_size=1, max_size=64))
@example("ß\u0301")
def test_a_user_name_has_one_form(text):
    try:
        key = names.username_key(text)
    except ValidationFailed:
        return
    assert names.username_key(key) == key
    assert 1 <= len(key) <= 64
    assert "@" not in key


@given(st.builds("{}@{}".format, ODD | st.text(min_size=1, max_size=70), st.just("example.com") | ODD))
def test_an_address_has_one_form(text):
    try:
        canonical = names.email(text)
    except ValidationFailed:
        return
    assert names.email(canonical) == canonical
    assert len(canonical) <= 256
    assert canonical.count("@") == 1


@given(ODD | st.text(min_size=1, max_size=64))
def test_a_user_name_in_other_cases_is_the_same_user_name(text):
    try:
        key = names.username_key(text)
    except ValidationFailed:
        return
    for other in (text.upper(), text.lower(), text.title(), text.swapcase()):
        if other.casefold() == text.casefold():
            assert names.username_key(other) == key


def test_a_user_name_is_letters_digits_and_a_few_signs():
    for good in ("a", "9", "_", "mix.the-fox+1", "Ångström", "李小龙", "x" * 64):
        assert names.username_key(good)
    for bad in ("", " ", ".", "-a", "+a", "a b", "a@b", "a/b", "a\0", "a\n", "\u200ba", "x" * 65, "㌖" * 11):
        assert refused(names.username_key, bad)


def test_an_address_is_one_address():
    for bad in (
        "",
        "@",
        "a@",
        "@b.example",
        "a b@c.example",
        "a@b@c.example",
        "a@b.example,c@d.example",
        "a@b.example\0",
    ):
        assert refused(names.email, bad)


def test_a_domain_is_compared_in_its_ascii_form():
    assert names.email("mix@exämple.example") == names.email("MIX@XN--EXMPLE-CUA.example")


def test_what_somebody_signs_in_with_is_an_address_if_it_has_an_at_sign_of_any_width():
    assert names.canonical("Mix＠Example.com") == "mix@example.com"
    assert names.canonical("MIX") == "mix"
    for neither in ("", "a b", "a@", "@", "a@b@c", "\0", "x" * 256):
        assert names.canonical(neither) is None
