"""Tokens opened up for developers: each form that a client can register is judged rightly."""

from dataclasses import replace

import pytest

from idp.protocol.token_inspection import Expected, inspect_id_token
from tests.keys import forging
from tests.protocol.test_encrypted_answers import EC
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.signed import public
from tests.support.token_parts import claims_of, header_of

ALGORITHMS = ("RS256", "ES384", "HS256", "none")


@pytest.mark.settings(signing_algorithms="RS256,ES256,ES384,HS256,none")
def test_each_form_of_an_id_token_is_judged(
    register: Register, browserless: Browserless, clock: HeldClock
) -> None:
    for algorithm in ALGORITHMS:
        client = register(algorithm, id_token_signed_response_alg=algorithm)
        issued = client.sign_in(browserless)
        token = issued["id_token"]
        expected = Expected(
            issuer=client.discovery.issuer,
            audience=algorithm,
            jwks=client.http.get(client.discovery["jwks_uri"]).json(),
            now=clock(),
            algorithm=algorithm,
            access_token=issued["access_token"],
            secrets=(client.client_secret,),
        )
        assert inspect_id_token(token, expected).good, algorithm
        assert not inspect_id_token(token, replace(expected, audience="other")).good
        other = forging.by_hmac(header_of(token), claims_of(token), b"x" * 32)
        for wrong in (other, f"{token}x", "", "a", "a.b.c", token.partition(".")[2]):
            assert not inspect_id_token(wrong, expected).good, algorithm
    sealed = register("sealed", jwks=public(EC), id_token_encrypted_response_alg="ECDH-ES")
    found = inspect_id_token(sealed.sign_in(browserless)["id_token"], expected)
    assert (found.good, found.claims, found.header["alg"]) == (True, {}, "ECDH-ES")
