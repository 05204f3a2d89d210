"""The pages of the playground: ask, come back, use the tokens."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request, url_for

from idp.crypto.secrets import random_token
from idp.domain.errors import NotFound
from idp.domain.playground_runs import Run
from idp.protocol import metadata
from idp.protocol.token_inspection import Check
from idp.web.browser_session import browser_cookie
from idp.web.context import origin, services
from idp.web.pages import page, see_other, view_of
from idp.web.playground import explanations, steps
from idp.web.playground.client import (
    CLIENT_ID,
    Choice,
    address,
    authorization_url,
    changed,
    choice_of,
    client,
    client_of,
    offered,
    prepare,
    read_choice,
    resource_servers,
    usual_choice,
)
from idp.web.playground.exchanges import curl
from idp.web.playground.tokens import panels

_LONGEST_SECRET = 200
_NO_SECRET = "Enter the secret that was shown when it was made."


def playground() -> Response:
    """Show a request that is ready to be sent; a sign-out ends here too."""
    asking = client(request.args.get("client") or CLIENT_ID)
    back = _signed_out(request.args.get("state", ""))
    return _start(_open(usual_choice(asking), asking.client_id), back=back)


def callback() -> Response:
    """Take what the browser brings back from a sign-in."""
    values = {name: value[:4096] for name, value in request.args.items()}
    try:
        run = _find(values.get("state", ""))
    except NotFound:
        return _came_back(None, values)
    if not run.claimed:
        run = services().playground_runs.keep(run, callback=values)
    return _came_back(run, values)


def run(state: str) -> Response:
    """Show where a run stands, or take its next step."""
    found = _find(state)
    if request.method == "POST":
        return _step(found, request.form.get("step", ""))
    if found.kept.tokens or found.kept.exchanges:
        return _tokens(found)
    if found.kept.callback:
        return _came_back(found, found.kept.callback)
    return _start(found)


def _step(found: Run, step: str) -> Response:
    if step in {"show", "start"}:
        return _ask(found, step)
    if step == "exchange" and found.kept.callback.get("code"):
        steps.redeem(found)
    elif step in steps.STEPS and found.kept.tokens:
        steps.STEPS[step](found)
    return see_other(url_for("run", state=found.state))


def _ask(found: Run, step: str) -> Response:
    """Go on with the request that was shown, unless it was sent before."""
    choice = read_choice(request.form, client_of(found))
    secret = request.form.get("secret", "").strip()[:_LONGEST_SECRET] or found.kept.secret
    if not (secret or client_of(found).public):
        choice = replace(choice, errors={**choice.errors, "secret": _NO_SECRET})
    if choice.errors:
        return _start(found, choice)
    if found.kept.callback:
        found = _open(choice, found.kept.request["client_id"])
    found = services().playground_runs.keep(
        found, request=changed(found.kept, choice), secret=secret
    )
    if step == "start":
        return see_other(authorization_url(found.kept.request))
    return see_other(url_for("run", state=found.state))


def _start(found: Run, choice: Choice | None = None, *, back: Run | None = None) -> Response:
    choice, asking = choice or choice_of(found.kept.request), client_of(found)
    return page(
        "playground/start.html",
        400 if choice.errors else 200,
        scopes=[
            {"name": name, "meaning": meaning, "checked": name in choice.scopes}
            for name, meaning in offered(asking)
        ],
        resources=resource_servers(asking),
        client=view_of(asking) if asking.client_id != CLIENT_ID else None,
        confidential=not asking.public,
        secret_kept=bool(found.kept.secret),
        values=choice,
        errors=choice.errors,
        action=url_for("run", state=found.state),
        authorization_endpoint=address(metadata.AUTHORIZE),
        request_url=authorization_url(found.kept.request),
        parameters=explanations.parameters(found.kept.request, explanations.REQUEST),
        after_url=url_for("run", state=back.state) if back else None,
    )


def _came_back(found: Run | None, values: Mapping[str, str]) -> Response:
    issued_here = values.get("iss") == services().settings.issuer
    checks = (
        _check(found is not None, "state is the one", "state is not one", "that was sent"),
        _check(issued_here, "iss is the issuer", "iss is not the issuer", "that was asked"),
    )
    foreign = not all(check.good for check in checks)
    error = _problem(foreign, values)
    return page(
        "playground/callback.html",
        400 if foreign else 200,
        parameters=explanations.parameters(values, explanations.CALLBACK),
        checks=checks,
        error=error,
        foreign=foreign,
        action=url_for("run", state=found.state) if found else None,
        command=curl(steps.redemption(found)) if found and not error else None,
        sent=found is not None and found.claimed,
        restart_url=_restart_url(found),
    )


def _check(good: bool, right: str, wrong: str, rest: str) -> Check:
    return Check(f"{right if good else wrong} {rest}", good)


def _problem(foreign: bool, values: Mapping[str, str]) -> str | None:
    if foreign:
        return "This answer is not for this browser: the application throws it away."
    if "code" in values:
        return None
    code = values.get("error", "")
    return explanations.ERRORS.get(code, "There is no code.")


def _tokens(found: Run) -> Response:
    kept = found.kept
    return page(
        "playground/tokens.html",
        exchanges=kept.exchanges,
        earlier=kept.earlier,
        tokens=panels(found) if kept.tokens else [],
        available=steps.available(found) if kept.tokens else [],
        action=url_for("run", state=found.state),
        sign_out=_sign_out(found) if kept.tokens and not kept.signed_out else None,
        signed_out=kept.signed_out,
        revoked=kept.revoked,
        error=None if kept.tokens else "There are no tokens. A code lives for a minute only.",
        restart_url=_restart_url(found),
    )


def _sign_out(found: Run) -> dict[str, Any]:
    form = steps.logout_form(found)
    shown = {name: f"{value[:24]}…" if len(value) > 100 else value for name, value in form.items()}
    return {
        "action": address(metadata.LOGOUT),
        "form": form,
        "parameters": explanations.parameters(shown, explanations.LOGOUT),
    }


def _signed_out(state: str) -> Run | None:
    """Return the run whose browser comes back from a sign-out."""
    if not state:
        return None
    try:
        found = _find(state)
    except NotFound:
        return None
    return services().playground_runs.keep(found, signed_out=True) if found.kept.tokens else None


def _open(choice: Choice, client_id: str) -> Run:
    state = random_token()
    return services().playground_runs.open(
        state, prepare(state, choice, client_id), browser_cookie(), origin()
    )


def _restart_url(found: Run | None) -> str:
    client_id = found.kept.request["client_id"] if found else CLIENT_ID
    return url_for("playground", client=client_id if client_id != CLIENT_ID else None)


def _find(state: str) -> Run:
    return services().playground_runs.find(state, browser_cookie())
