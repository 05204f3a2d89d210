"""Connected applications: what each may do, in plain words, and taking it back."""

from flask import Response, url_for

from idp.domain.connections import ConnectedClient
from idp.domain.sessions import Session
from idp.protocol import claims, scopes
from idp.web.account.frame import account_page, after, own
from idp.web.context import origin, services
from idp.web.guards import permission
from idp.web.pages import view_of


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
        "remove_action": url_for("remove_application", client_id=one.client.client_id),
    }
