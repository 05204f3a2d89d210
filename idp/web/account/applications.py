"""Connected applications: what each may do, in plain words, and taking it back."""

from urllib.parse import urlsplit

from flask import Response, abort, url_for

from idp.domain.connections import ConnectedClient
from idp.domain.sessions import Session
from idp.protocol import claims, scopes, third_party_login
from idp.web.account.frame import account_page, after, own
from idp.web.context import origin, services
from idp.web.guards import permission
from idp.web.pages import page, see_other, view_of


@permission("account", "use_account")
def account_applications(session: Session) -> Response:
    """List them."""
    found = services().own.connections.of(session.account.id)
    return account_page(
        "applications.html",
        session,
        "account_applications",
        applications=[_shown(one) for one in found],
    )


@permission("account", "use_account", back="account_applications")
def remove_application(session: Session, client_id: str) -> Response:
    """Take back all that an application may do."""
    with own(session, "remove_application"):
        services().own.connections.remove(session.account.id, client_id, origin())
    return after("account_applications", "application")


@permission("account", "use_account")
def open_application(session: Session, client_id: str) -> Response:
    """Start a sign-in at an application (OpenID Connect Core section 4).

    One that registered itself, and that this person never used, is named first: an address of ours
    must lead nobody to whatever anybody registered (RFC 9700 section 4.11.2).
    """
    client = services().clients.find(client_id)
    known = {one.client.client_id: one for one in services().own.connections.of(session.account.id)}
    connected = known.get(client_id)
    # Only who may know the address already is told it.
    hint = session.account.email if connected and "email" in connected.scopes else None
    target = third_party_login.address(client, services().settings.issuer, hint) if client else None
    if client is None or target is None:
        abort(404)
    if connected or not client.self_registered:
        return see_other(target)
    return page(
        "open_application.html",
        account=session.account,
        client=view_of(client),
        host=urlsplit(target).netloc,
        continue_url=target,
        cancel_url=url_for("account_applications"),
    )


def _usual_order(scope: str) -> tuple[int, str]:
    """Put the person's own data in the order of the consent page."""
    known = list(scopes.WORDS)
    return (known.index(scope) if scope in known else len(known), scope)


def _shown(one: ConnectedClient) -> dict[str, object]:
    resources = services().resources
    allowed = claims.uncovered(one.scopes)
    groups = scopes.describe(sorted(allowed, key=_usual_order), resources)
    groups += [scopes.describe_target(target, resources) for target in one.targets]
    return {
        "client": view_of(one.client),
        "groups": groups,
        "since": one.since,
        "last_used_at": one.last_used_at,
        "offline": one.offline,
        "first_party": one.client.first_party,
        "open_url": url_for("open_application", client_id=one.client.client_id)
        if one.client.details.get("initiate_login_uri")
        else None,
        "remove_action": url_for("remove_application", client_id=one.client.client_id),
    }
