"""Where a request comes from: one guesser, one source."""

import pytest

from authsvc.caller import Caller


@pytest.mark.parametrize(
    ("ip", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:DB8:0:0:ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unix:", "unix:"),
        ("192.0.2.1:8000", "192.0.2.1:8000"),
    ],
)
def test_a_source_is_an_ipv4_address_or_an_ipv6_network_of_64_bits(ip, source):
    assert Caller(ip).source == source
