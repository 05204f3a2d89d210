"""What the playground's application can do with its code and its tokens, one step at a time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import current_app

from idp.domain.playground_runs import Run
from idp.protocol import metadata
from idp.web.context import services
from idp.web.playground.client import CALLBACK, HOME, address, client_of
from idp.web.playground.exchanges import Exchange, Message, exchange

INTROSPECTOR = "doorward-demo-api"
"""Where `idp dev` leaves name and secret of the demo API, with which it may introspect."""
_MOST_KEPT = 12
_ONCE = (
    "A code works once. Run this command yourself and it is refused, and for safety everything "
    "that was issued for the code is taken back: somebody else may have had it first."
)
_MAY_NOT_ASK = (
    "Refused, and rightly: this application is a public client. It has no secret, so anybody could "
    "ask in its name."
)
_MAY_ASK = "An application that proves who it is learns of the tokens that were issued to it."
_ROTATED = (
    "A refresh token works once: the answer holds its successor. An old one that turns up later "
    "takes everything back."
)


def as_client(run: Run, path: str, form: Mapping[str, str]) -> Message:
    """Return a request of the run's client: with its name, and its secret if it has one."""
    client_id = run.kept.request["client_id"]
    if run.kept.secret:
        return Message(path, form, user=(client_id, run.kept.secret), hidden=True)
    return Message(path, {**form, "client_id": client_id})


def redemption(run: Run) -> Message:
    """Return the request that trades the code for tokens (RFC 6749 section 4.1.3)."""
    form = {
        "grant_type": "authorization_code",
        "code": run.kept.callback.get("code", ""),
        "redirect_uri": address(CALLBACK),
        "code_verifier": run.kept.verifier,
    }
    return as_client(run, metadata.TOKEN, form)


def redeem(run: Run) -> None:
    """Trade the code, once: a second click gets what the first one got."""
    if run.kept.tokens or not services().playground_runs.claim(run):
        return
    answer = exchange("The code for tokens", redemption(run), _ONCE)
    keys = exchange(
        "The keys",
        Message(metadata.JWKS),
        "The public keys of the issuer. With them the signatures above were really checked.",
    )
    _keep(run, [answer], [keys], tokens=answer.body if answer.done else {})


def userinfo(run: Run) -> None:
    """Ask who signed in (OpenID Connect Core section 5.3)."""
    message = Message(metadata.USERINFO, bearer=run.kept.tokens["access_token"])
    note = "What the scopes profile and email allow comes here, fresh, and not in the ID token."
    _keep(run, [exchange("Userinfo", message, note)])


def introspect(run: Run) -> None:
    """Ask whether the access token is live (RFC 7662): as who may not, and as who may."""
    form = {"token": run.kept.tokens["access_token"]}
    own = exchange(
        "Introspect, as this application",
        as_client(run, metadata.INTROSPECT, form),
        _MAY_ASK if run.kept.secret else _MAY_NOT_ASK,
    )
    found: tuple[str, str] | None = current_app.extensions.get(INTROSPECTOR)
    if found is None:
        _keep(run, [own])
        return
    allowed = exchange(
        "Introspect, as the demo API",
        Message(metadata.INTROSPECT, form, user=found),
        "An API asks with the credential that it got when it was registered. It learns of tokens "
        "that name it in aud; every other is inactive to it.",
    )
    _keep(run, [allowed, own])


def refresh(run: Run) -> None:
    """Trade the refresh token (RFC 6749 section 6)."""
    form = {"grant_type": "refresh_token", "refresh_token": run.kept.tokens["refresh_token"]}
    answer = exchange("Refresh", as_client(run, metadata.TOKEN, form), _ROTATED)
    if answer.done:
        _keep(run, [answer], tokens={**run.kept.tokens, **answer.body}, refreshed=True)
    else:
        _keep(run, [answer])


def revoke(run: Run) -> None:
    """Give the tokens up (RFC 7009)."""
    token = run.kept.tokens.get("refresh_token") or run.kept.tokens["access_token"]
    message = as_client(run, metadata.REVOKE, {"token": token})
    note = (
        "The refresh token takes along all that was issued with it. Introspect and refresh now: "
        "the server knows at once. An API that checks offline sees it when the token expires."
    )
    _keep(run, [exchange("Revoke", message, note)], revoked=True)


def logout_form(run: Run) -> dict[str, str]:
    """Return the form with which the browser signs out (RP-Initiated Logout section 2).

    Posted, so that the ID token gets into no address bar, history or log.
    """
    form = {"client_id": run.kept.request["client_id"]}
    if run.kept.tokens.get("id_token"):
        form = {"id_token_hint": run.kept.tokens["id_token"], **form}
    if address(HOME) in client_of(run).post_logout_redirect_uris:
        form |= {"post_logout_redirect_uri": address(HOME), "state": run.state}
    return form


STEPS: Mapping[str, Callable[[Run], None]] = {
    "userinfo": userinfo,
    "introspect": introspect,
    "refresh": refresh,
    "revoke": revoke,
}


def available(run: Run) -> list[str]:
    """Return the steps that make sense now."""
    tokens = run.kept.tokens
    names = ["userinfo"] if "openid" in str(tokens.get("scope", "")).split() else []
    names.append("introspect")
    if "refresh_token" in tokens:
        names.append("refresh")
    return [*names, "revoke"]


def _keep(
    run: Run, exchanges: Iterable[Exchange], beside: Iterable[Exchange] = (), **changes: Any
) -> None:
    also = [one.shown() for one in beside]
    earlier = (*also, *run.kept.exchanges, *run.kept.earlier)[:_MOST_KEPT]
    shown = [one.shown() for one in exchanges]
    services().playground_runs.keep(run, exchanges=shown, earlier=earlier, **changes)
