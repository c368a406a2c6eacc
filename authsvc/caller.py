"""Who is on the line, as far as the connection tells: written into events and counted by the throttle."""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    ip: str = ""
    user_agent: str = ""
    request_id: str = ""

    @property
    def source(self) -> str:
        """An IPv4 address or an IPv6 /64: what one guesser can be expected to have just one of."""
        try:
            address = ipaddress.ip_address(self.ip)
        except ValueError:
            return self.ip
        if isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)
