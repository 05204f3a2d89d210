"""The guard lets loopback through and nothing else, whoever asks."""

import socket

import pytest
import requests

from tests.support.network_guard import OutsideWorld, is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "LOCALHOST"])
def test_loopback_is_let_through(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["192.0.2.1", "10.0.0.1", "example.test", "127.0.0.1.evil.test", "fe80::1%eth0", "0.0.0.0"],
)
def test_everything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_no_address_outside_is_connected_to() -> None:
    with socket.socket() as one, pytest.raises(OutsideWorld):
        one.connect(("192.0.2.1", 80))


def test_no_packet_is_sent_outside() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, pytest.raises(OutsideWorld):
        one.sendto(b"x", ("192.0.2.1", 53))


def test_no_name_is_looked_up() -> None:
    with pytest.raises(OutsideWorld):
        socket.getaddrinfo("example.test", 443)


def test_a_library_is_not_let_through_either() -> None:
    with pytest.raises(OutsideWorld):
        requests.get("https://example.test/", timeout=1)
