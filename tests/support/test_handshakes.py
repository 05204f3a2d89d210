"""What refuses a bad handshake is the server, not this machine's TLS library."""

import ssl
from pathlib import Path

import pytest

from tests.support import handshakes
from tests.support.certificates import Authority


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_careless_server_agrees_to_what_is_bad(tmp_path: Path, kind: str) -> None:
    authority = Authority(tmp_path)
    server = handshakes.careless(authority.issue(kind=kind))
    old = handshakes.offer(authority.file, newest=handshakes.OLD)
    assert handshakes.agreed_in_memory(server, old) == "TLSv1.1"
    signed = "ECDSA" if kind == "EC" else "RSA"
    weak = [cipher.format(signed) for cipher in handshakes.WEAK]
    # One that needs an RSA certificate is of no use with another, whoever serves it.
    fitting = [cipher for cipher in weak if kind == "RSA" or cipher.startswith("ECDHE-")]
    for cipher in fitting:
        client = handshakes.offer(authority.file, cipher, ssl.TLSVersion.TLSv1_2)
        if not cipher.startswith("DHE-"):  # needs parameters that even this server has not got
            assert handshakes.agreed_in_memory(server, client) == "TLSv1.2", cipher
