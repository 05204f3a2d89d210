"""What may be registered as a client: RFC 7591 section 2, OpenID Connect Registration section 2."""

import json
from pathlib import Path
from typing import Any

import pytest
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol import registration
from idp.protocol.metadata_values import RegistrationError
from idp.protocol.registration import registration_response, validate
from tests.support.registered import client
from tests.support.signed import new_key, public

CB = ["https://app.example.com/cb"]
GOLDEN = Path(__file__).parent / "golden"


def refusal(metadata: Any, *, operator: bool = True) -> RegistrationError:
    with pytest.raises(RegistrationError) as refused:
        validate(metadata, operator=operator)
    assert refused.value.description.isascii()
    assert refused.value.description.endswith(".")
    return refused.value


CLIENTS: dict[str, dict[str, Any]] = {
    "smallest": {"redirect_uris": CB},
    "native": {
        "client_name": "Phone app",
        "client_name#ja-Jpan-JP": "\N{CJK UNIFIED IDEOGRAPH-96FB}\N{CJK UNIFIED IDEOGRAPH-8A71}",
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["com.example.app:/cb", "http://[::1]/cb"],
    },
    "service": {
        "client_name": "Nightly import",
        "grant_types": ["client_credentials"],
        "scope": "invoices.read openid",
        "contacts": ["team@example.com"],
    },
    "everything": {
        "client_name": "Shop",
        "client_uri": "https://shop.example.com",
        "logo_uri": "https://shop.example.com/logo.png",
        "policy_uri": "https://shop.example.com/privacy",
        "tos_uri": "http://localhost:8000/terms",
        "redirect_uris": ["https://shop.example.com/cb", "https://shop.example.com/cb"],
        "post_logout_redirect_uris": ["https://shop.example.com/bye"],
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "scope": "openid email offline_access invoices.read",
        "contacts": ["a@example.com", "b@example.com"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "application_type": "web",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "public",
        "backchannel_logout_uri": "https://shop.example.com/logout?by=server",
        "backchannel_logout_session_required": True,
        "frontchannel_logout_uri": "https://shop.example.com:443/logout",
        "frontchannel_logout_session_required": True,
        "default_max_age": 3600,
        "require_auth_time": True,
        "require_pkce": False,
        "first_party": True,
        "claims_in_id_token": True,
        "default_resource": "https://api.example.com",
        "dpop_bound_access_tokens": False,
        "jwks_uri": "https://shop.example.com/jwks.json",
        "default_acr_values": ["gold"],
        "initiate_login_uri": "https://shop.example.com/login",
        "made_up": {"by": "the client"},
        "client_uri#en": None,
    },
}


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_registered(name: str) -> None:
    """The answer lists what was registered: what is ignored is not in it (section 3.2.1)."""
    answer = registration_response(client(**CLIENTS[name]), "dw_secret_x", 0)
    assert answer == json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


def test_a_public_client_is_answered_without_secret() -> None:
    answer = registration_response(client(**CLIENTS["native"]), None)
    assert not {"client_secret", "client_secret_expires_at"} & answer.keys()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "private_key_jwt": ({"token_endpoint_auth_method": "private_key_jwt"}, "private_key_jwt"),
    "tls_client_auth": ({"token_endpoint_auth_method": "tls_client_auth"}, "tls_client_auth"),
    "method list": ({"token_endpoint_auth_method": ["none"]}, "token_endpoint_auth_method"),
    "implicit": ({"grant_types": ["implicit"]}, "implicit"),
    "password": ({"grant_types": ["authorization_code", "password"]}, "password"),
    "no grant": ({"grant_types": [], "response_types": []}, "grant_types"),
    "grant text": ({"grant_types": "authorization_code"}, "grant_types"),
    "nested grants": ({"grant_types": [["authorization_code"]]}, "grant_types"),
    "token": ({"response_types": ["token"]}, "token"),
    "code hidden": ({"response_types": ["code", "code", "code", "id_token"]}, "id_token"),
    "no response type": ({"response_types": []}, "go together"),
    "code without its grant": (
        {"grant_types": ["client_credentials"], "response_types": ["code"]},
        "go together",
    ),
    "refresh alone": (
        {"grant_types": ["refresh_token"], "response_types": []},
        "issues refresh tokens",
    ),
    "refresh for a robot": (
        {"grant_types": ["client_credentials", "refresh_token"]},
        "issues refresh tokens",
    ),
    "public robot": (
        {
            "grant_types": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_method": "none",
        },
        "public client",
    ),
    "public without PKCE": (
        {"token_endpoint_auth_method": "none", "require_pkce": False},
        "PKCE",
    ),
    "subject_type": ({"subject_type": "secret"}, "subject_type"),
    "unsigned ID token": ({"id_token_signed_response_alg": "none"}, "id_token_signed"),
    "HS384": ({"id_token_signed_response_alg": "HS384"}, "id_token_signed"),
    "HS256 without a secret": (
        {"id_token_signed_response_alg": "HS256", "token_endpoint_auth_method": "none"},
        "id_token_signed_response_alg HS256 needs a client secret; none has none",
    ),
    "HS256 of who has a key instead": (
        {
            "userinfo_signed_response_alg": "HS256",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": "https://app.example.com/keys",
        },
        "userinfo_signed_response_alg HS256 needs a client secret; private_key_jwt has none",
    ),
    "encryption without keys": (
        {"id_token_encrypted_response_alg": "RSA-OAEP-256"},
        "id_token_encrypted_response_alg needs jwks or jwks_uri",
    ),
    "encryption to a key of another type": (
        {"userinfo_encrypted_response_alg": "RSA-OAEP-256", "jwks": public(new_key())},
        "jwks has no RSA key",
    ),
    "encryption to a key for signatures": (
        {
            "id_token_encrypted_response_alg": "ECDH-ES",
            "jwks": {"keys": [{**public(new_key())["keys"][0], "use": "sig"}]},
        },
        "jwks has no EC key",
    ),
    "encoding without an algorithm": (
        {"id_token_encrypted_response_enc": "A128GCM", "jwks": public(new_key())},
        "id_token_encrypted_response_enc needs id_token_encrypted_response_alg",
    ),
    "RSAES-PKCS1-v1_5": (
        {"id_token_encrypted_response_alg": "RSA1_5", "jwks": public(new_key("RS256"))},
        "RSA1_5",
    ),
    "dir": ({"id_token_encrypted_response_alg": "dir"}, "dir"),
    "an encoding that is not there": (
        {
            "userinfo_encrypted_response_alg": "ECDH-ES",
            "userinfo_encrypted_response_enc": "A192GCM",
            "jwks": public(new_key()),
        },
        "A192GCM",
    ),
    "unsigned userinfo": ({"userinfo_signed_response_alg": "none"}, "userinfo_signed"),
    "application type": ({"application_type": "desktop"}, "application_type"),
    "negative age": ({"default_max_age": -1}, "default_max_age"),
    "age as a flag": ({"default_max_age": True}, "default_max_age"),
    "age as a text": ({"default_max_age": "60"}, "default_max_age"),
    "huge age": ({"default_max_age": 10**30}, "default_max_age"),
    "flag as a text": ({"require_auth_time": "true"}, "require_auth_time"),
    "flag as a number": ({"require_pkce": 0}, "require_pkce"),
    "name as a number": ({"client_name": 5}, "client_name"),
    "empty name": ({"client_name": "  "}, "client_name"),
    "long name": ({"client_name": "x" * 101}, "client_name"),
    "line end": ({"client_name": "a\nb"}, "client_name"),
    "right-to-left override": ({"client_name": "a\u202eb"}, "client_name"),
    "translated line end": ({"client_name#de": "a\nb"}, "client_name#de"),
    "http page": ({"client_uri": "http://app.example.com"}, "client_uri"),
    "javascript logo": ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
    "data logo": ({"logo_uri": "data:image/png;base64,AA"}, "logo_uri"),
    "user in a page": ({"policy_uri": "https://a@b.example"}, "policy_uri"),
    "translated http page": ({"tos_uri#fr": "http://app.example.com"}, "tos_uri#fr"),
    "page as a list": ({"tos_uri": ["https://a.example"]}, "tos_uri"),
    "contact list": ({"contacts": "a@example.com"}, "contacts"),
    "contact numbers": ({"contacts": [1]}, "contacts"),
    "scope list": ({"scope": ["openid"]}, "scope"),
    "scope charset": ({"scope": 'open"id'}, "scope"),
    "default resource": ({"default_resource": "https://a.example/#x"}, "default_resource"),
    "relative resource": ({"default_resource": "/api"}, "default_resource"),
    "http logout": ({"backchannel_logout_uri": "http://127.0.0.1/out"}, "backchannel_logout_uri"),
    "logout fragment": (
        {"backchannel_logout_uri": "https://app.example.com/out#"},
        "backchannel_logout_uri",
    ),
    "logout user": (
        {"backchannel_logout_uri": "https://a@app.example.com/"},
        "backchannel_logout_uri",
    ),
    "logout session": (
        {"backchannel_logout_session_required": "yes"},
        "backchannel_logout_session_required",
    ),
    "frame elsewhere": (
        {"frontchannel_logout_uri": "https://other.example.com/out"},
        "frontchannel_logout_uri",
    ),
    "frame at another port": (
        {"frontchannel_logout_uri": "https://app.example.com:8443/out"},
        "frontchannel_logout_uri",
    ),
    "frame in clear": (
        {"frontchannel_logout_uri": "http://app.example.com/out"},
        "frontchannel_logout_uri",
    ),
    "frame fragment": (
        {"frontchannel_logout_uri": "https://app.example.com/out#x"},
        "frontchannel_logout_uri",
    ),
    "script in a frame": (
        {"frontchannel_logout_uri": "javascript:alert(1)"},
        "frontchannel_logout_uri",
    ),
    "http start": ({"initiate_login_uri": "http://app.example.com/go"}, "initiate_login_uri"),
    "http start on loopback": ({"initiate_login_uri": "http://localhost/"}, "initiate_login_uri"),
    "logout address": ({"post_logout_redirect_uris": ["http://a.example/"]}, "post_logout"),
}


@pytest.mark.parametrize(("metadata", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(metadata: dict[str, Any], said: str) -> None:
    error = refusal({"redirect_uris": CB, **metadata})
    assert error.code == "invalid_client_metadata"
    assert said in error.description


@pytest.mark.parametrize("name", registration.DEMANDS)
def test_a_protection_that_does_not_exist_is_not_promised(name: str) -> None:
    for value in (True, "RS256", "https://app.example.com/x"):
        error = refusal({"redirect_uris": CB, name: value})
        assert error.code == "invalid_client_metadata"
        assert name in error.description
    assert name not in validate({"redirect_uris": CB, name: None}, operator=False)


@pytest.mark.parametrize("metadata", [None, [], "x", 5, [["redirect_uris", CB]]])
def test_metadata_is_an_object(metadata: Any) -> None:
    assert refusal(metadata).code == "invalid_client_metadata"


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"redirect_uris": []},
        {"redirect_uris": None},
        {"redirect_uris": [*CB, "https://app.example.com/cb#"]},
        {"redirect_uris": ["http://app.example.com/cb"]},
        {"redirect_uris": ["com.example.app:/cb"]},
        {"redirect_uris": ["com.example.app:/cb"], "application_type": "web"},
        {"redirect_uris": ["https://\N{SNOWMAN}.example/\ud800"]},
        {"redirect_uris": ["javascript:" + "x" * 1900]},
    ],
)
def test_redirect_uris_have_an_error_of_their_own(metadata: dict[str, Any]) -> None:
    assert refusal(metadata).code in {"invalid_redirect_uri", "invalid_client_metadata"}
    if not any("\ud800" in uri for uri in metadata.get("redirect_uris") or ()):
        assert refusal(metadata).code == "invalid_redirect_uri"


def test_case_005_a_fragment_is_not_registered() -> None:
    for fragment in ("#", "#x"):
        error = refusal({"redirect_uris": [f"https://app.example.com/cb{fragment}"]})
        assert error.code == "invalid_redirect_uri"


def test_case_008_a_client_that_redirects_names_where_to() -> None:
    assert refusal({"client_name": "Anywhere"}).code == "invalid_redirect_uri"
    robot = validate({"grant_types": ["client_credentials"]}, operator=True)
    assert robot["redirect_uris"] == []
    assert robot["response_types"] == []


@pytest.mark.parametrize(
    "metadata",
    [
        {"redirect_uris": [f"https://app.example.com/{n}" for n in range(21)]},
        {"redirect_uris": ["https://app.example.com/" + "x" * 2000]},
        {"redirect_uris": CB * 10**5},
        {"redirect_uris": CB, "contacts": ["a@example.com"] * 10**5},
        {"redirect_uris": CB, "scope": " ".join(f"s{n}" for n in range(10**5))},
        {"redirect_uris": CB, "grant_types": ["authorization_code"] * 10**5},
        {
            "redirect_uris": CB,
            **{f"client_name#{a}{b}-x": "A" for a in "abcdefgh" for b in "abcdefg"},
        },
    ],
)
def test_case_154_lists_are_bounded(metadata: dict[str, Any]) -> None:
    refusal(metadata)


def test_the_bounds_themselves_are_allowed() -> None:
    metadata = {
        "redirect_uris": [f"https://app.example.com/{n}" for n in range(20)],
        "client_name": "x" * 100,
        "default_max_age": 10 * 365 * 86400,
    }
    assert metadata.items() <= validate(metadata, operator=True).items()


def test_the_refused_uri_is_named_shortened() -> None:
    short, long = "http://a.example/cb", "http://a.example/" + "b" * 1000
    assert f"redirect_uris: {short}: Plain" in refusal({"redirect_uris": [short]}).description
    assert len(refusal({"redirect_uris": [long]}).description) < 250


def test_only_the_operator_marks_a_first_party() -> None:
    metadata = {"redirect_uris": CB, "first_party": True}
    assert validate(metadata, operator=True)["first_party"] is True
    assert "first_party" in refusal(metadata, operator=False).description
    modest = {"redirect_uris": CB, "first_party": False}
    assert not validate(modest, operator=False)["first_party"]


def test_one_registration_does_not_change_the_next() -> None:
    first = validate({"redirect_uris": CB}, operator=False)
    first["grant_types"].append("password")
    assert validate({"redirect_uris": CB}, operator=False)["grant_types"] == ["authorization_code"]


def test_unusable_scopes_are_not_registered() -> None:
    metadata = {"redirect_uris": CB, "scope": "openid offline_access a.read"}
    assert validate(metadata, operator=True)["scope"] == "openid a.read"


def test_trap_13_authlib_would_register_what_is_refused_here() -> None:
    """Authlib takes javascript: and refuses com.example.app:/cb; here it is the other way round."""
    for uri in ("javascript://x/%0aalert(1)", "http://app.example.com/cb"):
        claims = ClientMetadataClaims({"redirect_uris": [uri]}, {})
        claims.validate()
        assert refusal({"redirect_uris": [uri]}).code == "invalid_redirect_uri"
    native = {"redirect_uris": ["com.example.app:/cb"], "application_type": "native"}
    assert validate(native, operator=False)["redirect_uris"] == ["com.example.app:/cb"]


def test_trap_13_known_metadata_is_kept_and_nothing_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    metadata = {"redirect_uris": CB, "default_max_age": 60, "client_name#de": "Haus"}
    details = validate(metadata, operator=False)
    assert details["default_max_age"] == 60
    assert details["client_name#de"] == "Haus"
    refusal({"redirect_uris": ["javascript:alert(1)"]})
    assert capsys.readouterr() == ("", "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
NAMES = st.sampled_from([*registration.HONOURED, *registration.DEMANDS, "client_name#de", "other"])


@given(st.dictionaries(NAMES, JSON, max_size=4), st.booleans())
def test_any_json_is_registered_or_refused(metadata: dict[str, Any], operator: bool) -> None:
    try:
        details = validate({"redirect_uris": CB, **metadata}, operator=operator)
    except RegistrationError:
        refusal({"redirect_uris": CB, **metadata}, operator=operator)
        return
    assert validate(details, operator=operator) == details
