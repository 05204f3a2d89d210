"""Resource indicators (RFC 8707): which resource server a token is for, and what its `aud` says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idp.domain.clients import Client
from idp.domain.consents import Pairs
from idp.domain.resources import OIDC_SCOPES, Resources, ResourceServer


class InvalidTarget(Exception):
    """No token can be issued for this resource (`invalid_target`, RFC 8707 section 2)."""


@dataclass(frozen=True)
class Audience:
    """The resource server's identifier, if there is one, the token's `aud`, and its lifetime.

    `lifetime` is in seconds, None for the server's usual one.
    """

    resource: str | None
    aud: list[str]
    lifetime: int | None = None


def audience(
    requested: Sequence[str],
    scopes: Iterable[str],
    client: Client,
    resources: Resources,
    issuer: str,
) -> Audience:
    """Decide for whom a token with the granted `scopes` is. Raises InvalidTarget.

    The requested resource; else the owner of the scopes; else the client's default. A token has one
    resource server at most, so that none can use it at another. With `openid` the issuer is added,
    since userinfo is ours.
    """
    if len(requested) > 1:
        raise InvalidTarget("A token is for one resource: ask for each with a request of its own.")
    granted = frozenset(scopes)
    owned = granted - set(OIDC_SCOPES)
    if requested:
        server: ResourceServer | None = _named(requested[0], client, resources)
    else:
        server = _owner(owned, resources) or _default(client, resources)
    own = [issuer] if "openid" in granted else []
    if server is None:
        if not own:
            raise InvalidTarget("Name a resource, or a scope that belongs to one.")
        return Audience(None, own)
    if not owned <= server.scopes.keys():
        raise InvalidTarget("A scope belongs to another resource than the one named.")
    return Audience(server.identifier, [server.identifier, *own], server.access_token_lifetime)


def wanted(
    requested: Sequence[str],
    scopes: Iterable[str],
    client: Client,
    resources: Resources,
    issuer: str,
) -> Pairs:
    """Return what a person has to allow, as consent is remembered. Raises InvalidTarget.

    Each scope with the resource that owns it; and the resource itself, with an empty scope, where
    the token is for one of whose scopes none is asked.
    """
    pairs = set()
    for scope in scopes:
        owner = None if scope in OIDC_SCOPES else resources.owner_of(scope)
        pairs.add((owner.identifier if owner else "", scope))
    target = audience(requested, (scope for _, scope in pairs), client, resources, issuer).resource
    if target and all(resource != target for resource, _ in pairs):
        pairs.add((target, ""))
    return frozenset(pairs)


def _default(client: Client, resources: Resources) -> ResourceServer | None:
    if client.default_resource is None:
        return None
    return _enabled(resources.find(client.default_resource))


def _named(identifier: str, client: Client, resources: Resources) -> ResourceServer:
    """The resource that was asked for, if the client has anything to do there."""
    server = _enabled(resources.find(identifier))
    if client.scopes.isdisjoint(server.scopes) and client.default_resource != identifier:
        raise InvalidTarget("The client is registered for no scope of this resource.")
    return server


def _owner(owned: Iterable[str], resources: Resources) -> ResourceServer | None:
    """The one resource server to which all of these scopes belong; None without scopes."""
    servers = [_enabled(resources.owner_of(scope)) for scope in owned]
    found = {server.identifier: server for server in servers}
    if len(found) > 1:
        raise InvalidTarget("The scopes belong to more than one resource: ask for one at a time.")
    return next(iter(found.values()), None)


def _enabled(server: ResourceServer | None) -> ResourceServer:
    if server is None or server.disabled:
        raise InvalidTarget("There is no such resource, or it is disabled.")
    return server
