"""The caller's address and scheme, through proxies that are trusted and through others."""

import pytest

from authsvc.proxies import TrustedProxies

PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.9")


def seen(peer, forwarded_for=None, proto=None, proxies=PROXIES, **more):
    """The address and the scheme that the app sees."""
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"} | more
    if forwarded_for is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded_for
    if proto is not None:
        environ["HTTP_X_FORWARDED_PROTO"] = proto
    found = []

    def app(environ, start_response):
        found.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return []

    TrustedProxies(app, proxies)(environ, lambda *_: None)
    return found[0]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", " 203.0.113.5 ", "203.0.113.5"),
        ("192.0.2.9", "203.0.113.5", "203.0.113.5"),
        ("2001:db8:ffff::1", "2001:db8::5", "2001:db8::5"),
        ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
        # the right-most that is no proxy of ours, never one further left
        ("10.0.0.1", "1.1.1.1, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.5, 10.0.0.2, 192.0.2.9", "203.0.113.5"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        # what is no address ends the walk
        ("10.0.0.1", "1.1.1.1, garbage", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.5,", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        # whoever is no proxy of ours is believed nothing
        ("203.0.113.7", "1.1.1.1", "203.0.113.7"),
        ("192.0.2.8", "1.1.1.1", "192.0.2.8"),
        ("2001:db8::1", "1.1.1.1", "2001:db8::1"),
        ("", "1.1.1.1", ""),
        ("unix:", "1.1.1.1", "unix:"),
    ],
)
def test_the_caller_is_the_right_most_address_that_is_no_proxy_of_ours(peer, forwarded_for, address):
    assert seen(peer, forwarded_for)[0] == address


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("10.0.0.1", "https", "https"),
        ("10.0.0.1", "HTTPS", "https"),
        ("10.0.0.1", "http, https", "https"),
        ("10.0.0.1", "https, http", "http"),
        ("10.0.0.1", "ftp", "http"),
        ("10.0.0.1", "", "http"),
        ("203.0.113.7", "https", "http"),
    ],
)
def test_the_scheme_is_what_the_last_proxy_says_if_it_is_ours(peer, proto, scheme):
    assert seen(peer, proto=proto)[1] == scheme


def test_without_trusted_proxies_nothing_that_is_said_counts():
    assert seen("127.0.0.1", "1.1.1.1", "https", proxies=()) == ("127.0.0.1", "http")


def test_no_other_header_counts():
    others = {"HTTP_X_REAL_IP": "1.1.1.1", "HTTP_FORWARDED": "for=1.1.1.1", "HTTP_X_FORWARDED_HOST": "evil.example"}
    assert seen("10.0.0.1", **others) == ("10.0.0.1", "http")
