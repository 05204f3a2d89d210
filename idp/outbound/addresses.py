"""Which addresses may be spoken to in somebody else's name: those of the public internet alone.

What is left out stands in IANA's special-purpose address registries (RFC 6890), and in the clouds'
lists of addresses at which a machine is told its own secrets.
"""

import ipaddress

_REFUSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by carriers; a cloud's metadata at 100.100.100.200
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's wire server
            "169.254.0.0/16",  # link-local; metadata at 169.254.169.254
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""Outside of it are loopback, mapped, NAT64, local and multicast addresses."""
_REFUSED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # Teredo, ORCHID, benchmarks: an IPv4 address may hide inside
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address hides inside
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether `address`, an IP address in digits, is of the public internet."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _REFUSED_V4)
    if parsed.scope_id is not None or parsed not in _GLOBAL_V6:
        return False
    return not any(parsed in network for network in _REFUSED_V6)


def is_written_well(host: str) -> bool:
    """Whether a URL's host in brackets is an IPv6 address; names are for the name server."""
    if not host.startswith("["):
        return True
    try:
        return ipaddress.IPv6Address(host[1:-1]) is not None
    except ValueError:
        return False
