"""Who may see a page, or do a deed, of our consoles: the policies are asked at every request.

What is missing is proven in a visit of its own, which comes back to the page. A deed that lacks it
is not done: the visit comes back to the page of its form, which says so.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import quote

from flask import Response, current_app, request, url_for

from idp.domain.access import Resource
from idp.domain.audit import Entry
from idp.domain.interactions import Progress
from idp.domain.requirements import Demand, Proofs, Verdict
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web.authorize import refuse_unless_navigation
from idp.web.browser_session import browser_cookie, current_session, device_cookie
from idp.web.context import origin, services
from idp.web.i18n import said
from idp.web.pages import page, see_other

P = ParamSpec("P")
AGAIN = "again"
"""In the query of a page whose form was not taken: who it is had to be proven first."""
PERMISSIONS: dict[str, str] = {}
"""What each guarded endpoint asks for, as console/action."""


def permission(
    console: str, action: str, *, back: str = ""
) -> Callable[[Callable[Concatenate[Session, P], Response]], Callable[P, Response]]:
    """Let a view answer only who may do `action` in `console`; it gets their session first.

    `back` is the endpoint of the page that has the form, for views without a page of their own.
    """

    def guarded(view: Callable[Concatenate[Session, P], Response]) -> Callable[P, Response]:
        PERMISSIONS[view.__name__] = f"{console}/{action}"

        @wraps(view)
        def guard(*args: P.args, **kwargs: P.kwargs) -> Response:
            session = current_session()
            if session is None:
                return _visit(Progress(return_to=_return_to(back), action=f"{console}/sign_in"), "")
            found = verdict(session, console, action)
            if found.enough:
                return view(session, *args, **kwargs)
            if found.missing == "refused":
                return _refuse(session, console, action, found)
            progress = Progress(
                return_to=_return_to(back),
                action=f"{console}/{action}",
                chosen=session.account.id,
            )
            return _visit(progress, found.sentence)

        return guard

    return guarded


def verdict(session: Session, console: str, action: str) -> Verdict:
    """Judge whether what a session has proven is enough for an action of a console."""
    proofs = Proofs(session.account.id, session.proofs, {})
    demand = Demand(action, Resource("console", console))
    return services().requirements.judge(proofs, demand, device_cookie(), origin().address)


def for_script() -> bool:
    """Whether a script asked, which can't follow anybody through a sign-in."""
    wanted = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return wanted == "application/json" or request.headers.get("Sec-Fetch-Dest") == "empty"


def told(status: int, error: str, sentence: str, **more: object) -> Response:
    """Answer a script with an error; 401 and 403 say why in WWW-Authenticate too (RFC 9110 section
    11.6.1).
    """
    body = json.dumps({"error": error, "error_description": said(sentence), **more})
    response = Response(body, status, mimetype="application/json")
    if status in {401, 403}:
        response.headers["WWW-Authenticate"] = f'Session error="{error}"'
    return response


def _visit(progress: Progress, sentence: str) -> Response:
    """Begin the visit in which is proven what is missing."""
    if not for_script():
        refuse_unless_navigation()
    handle = services().interactions.open(progress, browser_cookie(), origin())
    location = url_for("interaction", handle=handle)
    if for_script():
        why = sentence or marked("Sign in first.")
        return told(401, "login_required", why, location=location)
    return see_other(location)


def _refuse(session: Session, console: str, action: str, found: Verdict) -> Response:
    """Say no, and why; it is recorded."""
    person = session.account.id
    services().throttle.count("refusal", origin().address)
    detail = {"action": f"{console}/{action}", "policies": " ".join(found.policies)}
    entry = Entry("access.refused", f"account:{person}", person, detail=detail)
    services().audit.refuse(origin(), entry)
    if for_script():
        return told(403, "access_denied", found.sentence)
    return page(
        "not_permitted.html",
        403,
        account=session.account,
        sentence=found.sentence,
        switch_url=url_for("start", another="1", next=f"/{console}"),
        home_url=url_for("home"),
    )


def _return_to(back: str) -> str:
    """Return the path of this page, or of the page that has the form."""
    if back:
        given = request.view_args or {}
        wanted = {name for rule in current_app.url_map.iter_rules(back) for name in rule.arguments}
        values = {name: value for name, value in given.items() if name in wanted}
        return f"{url_for(back, **values)}?{AGAIN}=1"
    path = quote(request.path)
    if request.method == "POST":
        return f"{path}?{AGAIN}=1"
    query = request.query_string.decode("ascii")
    return f"{path}?{query}" if query else path
