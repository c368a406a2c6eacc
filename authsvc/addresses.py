"""IP addresses and networks, as requests, proxies and lists name them."""

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address(text: str) -> Address | None:
    """A socket that takes both kinds says ::ffff:10.0.0.1 of 10.0.0.1."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def network(text: str) -> Network:
    """One address, or a network that names no bit beyond its length. Raises ValueError."""
    alone = address(text)
    return ipaddress.ip_network(text if alone is None else alone)


def is_within(text: str, networks: Iterable[Network]) -> bool:
    found = address(text)
    return found is not None and any(found in one for one in networks)


def are_narrower(networks: Iterable[str], than: Iterable[str]) -> bool:
    """Whether each of these lies within one of those. No list at all is the widest there is."""
    outer, inner = [network(text) for text in than], [network(text) for text in networks]
    return not outer or (bool(inner) and all(any(_covers(wide, one) for wide in outer) for one in inner))


def _covers(wide: Network, one: Network) -> bool:
    if isinstance(wide, ipaddress.IPv4Network):
        return isinstance(one, ipaddress.IPv4Network) and one.subnet_of(wide)
    return isinstance(one, ipaddress.IPv6Network) and one.subnet_of(wide)
