"""What the operator lets clients register that register themselves (RFC 7591 section 5: the server
may refuse or replace any value).

A value that was asked for is registered or refused, never changed; what was left out is filled in
with what is allowed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from idp.domain import uris
from idp.domain.registration_policy import RegistrationPolicy
from idp.protocol.metadata_values import RegistrationError, refused

WITH_A_PERSON = frozenset({"authorization_code", "implicit", "refresh_token"})
"""Grant types that anybody may register: each token is one that a person allowed."""
_MOST_LISTED = 20


def with_defaults(metadata: Mapping[str, Any], policy: RegistrationPolicy) -> dict[str, Any]:
    """Fill in what was left out where the policy is narrower than the usual default."""
    given = {name: value for name, value in metadata.items() if value is not None}
    given.setdefault("scope", " ".join(policy.scopes))
    if policy.auth_methods and "client_secret_basic" not in policy.auth_methods:
        given.setdefault("token_endpoint_auth_method", policy.auth_methods[0])
    if not policy.require_pkce and given.get("token_endpoint_auth_method") != "none":
        given.setdefault("require_pkce", False)
    return given


def check(details: Mapping[str, Any], policy: RegistrationPolicy) -> None:
    """Refuse what the policy does not allow. Raises RegistrationError."""
    allowed = policy.grant_types or WITH_A_PERSON
    _within("grant_types", details["grant_types"], allowed)
    _within("scope", details["scope"].split(), policy.scopes)
    if policy.auth_methods:
        method = details["token_endpoint_auth_method"]
        _within("token_endpoint_auth_method", [method], policy.auth_methods)
    if policy.require_pkce and not details["require_pkce"]:
        raise refused("require_pkce must be true here.")
    if policy.redirect_hosts:
        for name, code in (
            ("redirect_uris", "invalid_redirect_uri"),
            ("post_logout_redirect_uris", "invalid_client_metadata"),
        ):
            _check_hosts(name, code, details[name], policy.redirect_hosts)
        # Browsers are sent there as well (OpenID Connect Core section 4).
        starts = [uri for name, uri in details.items() if name == "initiate_login_uri"]
        _check_hosts("initiate_login_uri", "invalid_client_metadata", starts, policy.redirect_hosts)


def _within(name: str, wanted: Iterable[str], allowed: Iterable[str]) -> None:
    known = sorted(allowed)
    for value in wanted:
        if value not in known:
            listed = ", ".join(known[:_MOST_LISTED]) or "nothing"
            raise refused(f"{name}: {value[:60]!a} is not allowed here; allowed: {listed}.")


def host_problem(uri: str, hosts: Sequence[str]) -> str | None:
    """Say why a redirect URI is not where the policy wants it; None when it is. No hosts: any."""
    if not hosts or any(_is_at(uri, host) for host in hosts):
        return None
    return f"It is not at one of: {', '.join(hosts[:_MOST_LISTED])}."


def _check_hosts(name: str, code: str, given: Sequence[str], hosts: Sequence[str]) -> None:
    for uri in given:
        if problem := host_problem(uri, hosts):
            shown = ascii(uri[:100])[1:-1]
            raise RegistrationError(code, f"{name}: {shown}: {problem}")


def _is_at(uri: str, host: str) -> bool:
    """Whether a URI is at a host, below one (`*.example.com`), or of a scheme (`com.example:`)."""
    parts = uris.parse(uri)
    if parts is None:
        return False
    if host.endswith(":"):
        return f"{parts.scheme}:" == host
    if parts.scheme not in {"http", "https"}:
        return False
    at = (parts.host or "").lower()
    return at.endswith(host[1:].lower()) if host.startswith("*.") else at == host.lower()
