"""The audit log: looked through a page at a time, and taken away as a file."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for

from idp.domain.audit_search import EXPORTED, Wanted
from idp.domain.errors import Invalid, NotFound
from idp.domain.sessions import Session
from idp.domain.texts import marked
from idp.web.admin.audit_lines import csv_of, shown
from idp.web.admin.frame import admin_page, by
from idp.web.context import services
from idp.web.guards import permission

_FIELDS = ("event", "outcome", "person", "actor", "client", "since", "until")
_OUTCOMES = ("done", "refused")
_LONGEST = 300
_NOT_A_TIME = marked("Write it like 2027-01-31 12:00, or a day alone.")
_NOBODY = marked("There is no such person.")


@permission("admin", "view_audit")
def admin_audit(session: Session) -> Response:
    """Show the newest entries that fit."""
    values = _asked()
    asked: dict[str, Any] = {name: value for name, value in values.items() if value}
    before = request.args.get("before", "")
    try:
        found = services().audit_search.page(_wanted(values), before)
    except Invalid as error:
        return _page(session, values, 400, errors={error.field: str(error)})
    return _page(
        session,
        values,
        lines=[shown(session, line) for line in found.lines],
        reached=found.reached,
        more_url=url_for("admin_audit", **asked, before=found.more) if found.more else None,
        first_url=url_for("admin_audit", **asked) if before else None,
        export_url=url_for("admin_audit_export", **asked),
    )


def _page(
    session: Session,
    values: dict[str, str],
    code: int = 200,
    /,
    errors: dict[str, str] | None = None,
    **more: object,
) -> Response:
    usual: dict[str, object] = {
        "lines": [],
        "reached": None,
        "more_url": None,
        "first_url": None,
        "export_url": None,
    }
    return admin_page(
        "audit.html",
        session,
        "admin_audit",
        code,
        values=values,
        errors=errors or {},
        failed=bool(errors),
        asked=any(values.values()),
        outcomes=_OUTCOMES,
        all_url=url_for("admin_audit"),
        most=EXPORTED,
        **(usual | more),
    )


@permission("admin", "view_audit", back="admin_audit")
def admin_audit_export(session: Session) -> Response:
    """Send the newest entries that fit as CSV; that they were taken is an entry of its own."""
    wanted = _wanted(_asked())
    lines = services().audit_search.export(wanted, by(session))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response(csv_of(lines), 200, headers, content_type="text/csv; charset=utf-8")


def _asked() -> dict[str, str]:
    return {name: request.args.get(name, "").strip()[:_LONGEST] for name in _FIELDS}


def _wanted(values: dict[str, str]) -> Wanted:
    """Return what to look for. Raises Invalid, whose `field` is the form's."""
    wanted = Wanted(
        event=_plain(values["event"]),
        outcome=values["outcome"] if values["outcome"] in _OUTCOMES else "",
        client_id=_plain(values["client"]),
        since=_time("since", values["since"]),
        until=_time("until", values["until"]),
    )
    if values["person"]:
        wanted = replace(wanted, account_id=_person("person", values["person"]))
    if values["actor"]:
        wanted = replace(wanted, actor=_actor(values["actor"]))
    return wanted


def _person(field: str, typed: str) -> str:
    """Return the id of a person; an id may be that of somebody who is gone."""
    try:
        return services().accounts.get(_plain(typed)).id
    except NotFound as error:
        if "@" in typed:
            raise Invalid(field, _NOBODY) from error
        return _plain(typed)


def _actor(typed: str) -> str:
    """People are named by their address or id, others as the log names them."""
    if ":" in typed or typed in {"server", "anyone"}:
        return _plain(typed)
    return f"account:{_person('actor', typed)}"


def _plain(typed: str) -> str:
    return typed.replace("\0", "")


def _time(field: str, typed: str) -> int | None:
    """Return a moment, in UTC unless it says otherwise, as seconds since 1970."""
    if not typed:
        return None
    try:
        moment = datetime.fromisoformat(typed)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise Invalid(field, _NOT_A_TIME) from error
