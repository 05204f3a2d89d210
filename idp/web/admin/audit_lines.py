"""One entry of the audit log as a line on a page, and as a row of a file.

Names, addresses and details come from outside: what could end a line, hide in it or turn its
direction is written out (SECURITY case 144).
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import url_for

from idp.domain.audit_search import Line
from idp.domain.sessions import Session
from idp.web.admin.frame import may, visible

COLUMNS = (
    "time",
    "event",
    "outcome",
    "actor",
    "actor_email",
    "account_id",
    "account_email",
    "client_id",
    "address",
    "request_id",
    "detail",
)
_ACCOUNT = "account:"
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of a formula, in full width too."""
_ROWS_AT_ONCE = 100


def shown(session: Session, line: Line) -> dict[str, object]:
    """Return what a template shows of an entry; addresses lead to people for who may see them."""
    actor_id = line.actor.removeprefix(_ACCOUNT) if line.by else None
    person_id = line.account_id if line.person else None
    return {
        "at": line.at_ms // 1000,
        "exact": _exact(line.at_ms),
        "event": visible(line.event),
        "event_url": url_for("admin_audit", event=line.event),
        "refused": line.refused,
        "actor": visible(line.by or line.actor),
        "actor_url": _person_url(session, actor_id),
        "person": visible(line.person or line.account_id or ""),
        "person_url": _person_url(session, person_id),
        "client": visible(line.client_id or ""),
        "client_url": _client_url(session, line.client_id),
        "address": visible(line.address),
        "request_id": visible(line.request_id),
        "detail": _details(line.detail),
    }


def _person_url(session: Session, account_id: str | None) -> str | None:
    if account_id is None or not may(session, "view_people"):
        return None
    return url_for("admin_person", account_id=account_id)


def _client_url(session: Session, client_id: str | None) -> str | None:
    if client_id is None or not may(session, "view_clients"):
        return None
    return url_for("admin_client", client_id=client_id)


def _details(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what an entry says beside its columns, without what is empty."""
    given = {name: value for name, value in detail.items() if value not in ("", None)}
    return [(visible(name), visible(_text(value))) for name, value in given.items()]


def csv_of(lines: Iterable[Line]) -> Iterator[str]:
    """Return a file of them (RFC 4180), in pieces: every cell quoted, one line for each entry."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for number, line in enumerate(lines, 1):
        writer.writerow(map(_cell, _values(line)))
        if number % _ROWS_AT_ONCE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _values(line: Line) -> tuple[str | None, ...]:
    return (
        _exact(line.at_ms),
        line.event,
        "refused" if line.refused else "done",
        line.actor,
        line.by,
        line.account_id,
        line.person,
        line.client_id,
        line.address,
        line.request_id,
        json.dumps(dict(line.detail), ensure_ascii=False),
    )


def _cell(value: str | None) -> str:
    """An apostrophe before what would be a formula: spreadsheets show it as text."""
    text = visible(value or "")
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _exact(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
