"""How each value that discovery names of keys and algorithms is used."""

from functools import partial
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from tests.keys import forging
from tests.protocol.keeping import GRANTS, Here, Keep
from tests.protocol.test_encrypted_answers import EC, RSA, key_for, opened
from tests.protocol.test_encrypted_requests import encrypted, ours
from tests.support.signed import AssertingClient, new_key, public, sign
from tests.support.token_client import TokenClient
from tests.support.token_parts import header_of


def _checked(client: TokenClient, token: str, algorithm: str) -> None:
    """Verify a token that was signed for a client, with another library."""
    assert header_of(token)["alg"] == algorithm
    if algorithm == "none":
        assert token.endswith(".")
    elif algorithm.startswith("HS"):
        jwt.decode(token, OctKey.import_key(client.client_secret), algorithms=[algorithm])
    else:
        keys = KeySet.import_key_set(client.http.get(client.discovery["jwks_uri"]).json())
        jwt.decode(token, keys, algorithms=[algorithm])


def _answer_of(here: Here, client: TokenClient, place: str) -> str:
    issued = here.issued(client)
    if place == "id_token":
        return str(issued["id_token"])
    return client.userinfo(issued["access_token"]).text


def _signing(place: str, here: Here, value: str) -> None:
    client = here.client(**{f"{place}_signed_response_alg": value})
    _checked(client, _answer_of(here, client, place), value)


def _encryption(place: str, here: Here, value: str) -> None:
    name = f"{place}_encrypted_response_alg"
    client = here.client(jwks=public(RSA, EC), **{name: value})
    token = _answer_of(here, client, place)
    header, _ = opened(token, key_for(value), value, header_of(token)["enc"])
    assert header["alg"] == value


def _encoding(place: str, here: Here, value: str) -> None:
    names = f"{place}_encrypted_response_alg", f"{place}_encrypted_response_enc"
    client = here.client(jwks=public(EC), **dict(zip(names, ("ECDH-ES", value), strict=True)))
    header, _ = opened(_answer_of(here, client, place), EC, "ECDH-ES", value)
    assert header["enc"] == value


def _method(endpoint: str, here: Here, value: str) -> None:
    if value in {"client_secret_jwt", "private_key_jwt"}:
        _assertion_signing(endpoint, here, {"private_key_jwt": "ES256"}.get(value, "HS256"))
    elif value == "none":
        client = here.client(token_endpoint_auth_method=value, grant_types=GRANTS[:2])
        token = here.issued(client)["access_token"]
        assert endpoint != "revocation_endpoint" or client.revoke(token).status_code == 200
    else:
        client = here.client(token_endpoint_auth_method=value)
        form = {"grant_type": "client_credentials", "scope": "notes:read", "token": "unknown"}
        assert client.post(endpoint, form).status_code == 200


def _assertion_signing(endpoint: str, here: Here, value: str) -> None:
    metadata: dict[str, Any] = {"token_endpoint_auth_method": "client_secret_jwt"}
    key = None if value.startswith("HS") else new_key(value)
    if key:
        metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks": public(key)}
    client = here.client(token_endpoint_auth_signing_alg=value, **metadata)
    asserting = AssertingClient(client, key or client.client_secret, value, here.clock)
    assert asserting.send(asserting.assertion(), endpoint).status_code == 200


SIGNED: dict[str, Keep] = {
    "id_token_signing_alg_values_supported": partial(_signing, "id_token"),
    "id_token_encryption_alg_values_supported": partial(_encryption, "id_token"),
    "id_token_encryption_enc_values_supported": partial(_encoding, "id_token"),
    "userinfo_signing_alg_values_supported": partial(_signing, "userinfo"),
    "userinfo_encryption_alg_values_supported": partial(_encryption, "userinfo"),
    "userinfo_encryption_enc_values_supported": partial(_encoding, "userinfo"),
}
CLIENTS: dict[str, Keep] = {
    f"{name}_endpoint_auth_{what}_supported": partial(keep, f"{name}_endpoint")
    for name in ("token", "introspection", "revocation")
    for what, keep in (("methods", _method), ("signing_alg_values", _assertion_signing))
}


def _object(client: TokenClient, algorithm: str, key: Any) -> tuple[dict[str, str], str]:
    """Return what stands outside, and a request object."""
    sent = client.authorization()
    outside = {name: sent[name] for name in ("client_id", "response_type", "scope", "redirect_uri")}
    if algorithm == "none":
        return outside, forging.unsigned({"alg": algorithm}, sent)
    return outside, sign(sent, key or client.client_secret, algorithm)


def _object_signing(here: Here, value: str) -> None:
    key = None if value == "none" or value.startswith("HS") else new_key(value)
    jwks = {"jwks": public(key)} if key else {}
    client = here.client(request_object_signing_alg=value, **jwks)
    outside, token = _object(client, value, key)
    found = here.browser.authorize({**outside, "request": token})
    assert client.redeem(found).status_code == 200


def _object_encryption(here: Here, algorithm: str, encoding: str) -> None:
    key = new_key()
    client = here.client(jwks=public(key))
    outside, token = _object(client, "ES256", key)
    text = encrypted(token, ours(client, algorithm), encoding)
    found = here.browser.authorize({**outside, "request": text})
    assert client.redeem(found).status_code == 200


def _by_value(here: Here, value: bool) -> None:
    assert value
    _object_signing(here, "ES256")


def _by_reference(here: Here, value: bool) -> None:
    assert value
    key = new_key()
    client = here.client(jwks=public(key), request_uris=[here.site.url("/object.jwt")])
    outside, token = _object(client, "ES256", key)
    here.site.put("/object.jwt", token, "application/oauth-authz-req+jwt")
    sent = {**outside, "request_uri": here.site.url("/object.jwt")}
    assert client.redeem(here.browser.authorize(sent)).status_code == 200


def _only_registered(here: Here, value: bool) -> None:
    assert value
    client = here.client(request_uris=[here.site.url("/object.jwt")])
    sent = client.authorization(request_uri=here.site.url("/another.jwt"))
    assert here.browser.start(sent).callback["error"] == "invalid_request_uri"


OBJECTS: dict[str, Keep] = {
    "request_parameter_supported": _by_value,
    "request_uri_parameter_supported": _by_reference,
    "require_request_uri_registration": _only_registered,
    "request_object_signing_alg_values_supported": _object_signing,
    "request_object_encryption_alg_values_supported": (
        lambda here, value: _object_encryption(here, value, "A128GCM")
    ),
    "request_object_encryption_enc_values_supported": (
        lambda here, value: _object_encryption(here, "ECDH-ES", value)
    ),
}
