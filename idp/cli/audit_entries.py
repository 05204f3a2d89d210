"""`idp audit list` and `export`: which entries there are."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from idp.cli.context import emit, json_option, operator, origin, services
from idp.domain.audit_log.formats import LINES
from idp.domain.audit_search import Line, Wanted

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


def wanted_options(command: Any) -> Any:
    """Add the options that choose entries."""
    for name, words in (
        ("--event", "Only entries of this event, such as token.issued."),
        ("--outcome", "Only entries that ended so: done or refused."),
        ("--account", "Only entries about the person with this id."),
        ("--actor", "Only entries of who did it, such as account:ID."),
        ("--client", "Only entries about this client."),
    ):
        command = click.option(name, default="", help=words)(command)
    for name, words in (
        ("--since", "Only entries from this moment on (UTC)."),
        ("--until", "Only entries before this moment (UTC)."),
    ):
        command = click.option(name, type=_MOMENT, help=words)(command)
    return command


@click.command("list")
@wanted_options
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most entries."
)
@json_option
def list_entries(limit: int, as_json: bool, **wanted: Any) -> None:
    """List entries of the audit log, newest first."""
    search, found, before = services().audit_search, list[Line](), ""
    while len(found) < limit:
        page = search.page(wanted_by(**wanted), before, limit - len(found))
        found += page.lines
        before = page.more
        if not before:
            break
    emit([(_whole if as_json else _short)(line) for line in found], as_json)


@click.command()
@wanted_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(LINES)),
    default="jsonl",
    show_default=True,
    help="JSON lines, or the Common Event Format.",
)
def export(form: str, **wanted: Any) -> None:
    """Print every entry that fits, oldest first, one on each line. That it was done is an entry."""
    line = LINES[form]
    for row in services().audit_log.export.run(wanted_by(**wanted), origin(), operator()):
        click.echo(line(row))


@click.command()
@json_option
def streams(as_json: bool) -> None:
    """Show how far each target of IDP_AUDIT_STREAMS is: what it has not got yet, and why."""
    states = services().audit_log.streams.states()
    shown = [{**state, "delivered_at": _moment(state["delivered_at"])} for state in states]
    emit(shown, as_json)


def _moment(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wanted_by(
    event: str,
    outcome: str,
    account: str,
    actor: str,
    client: str,
    since: datetime | None,
    until: datetime | None,
) -> Wanted:
    """Return what the options ask for."""
    return Wanted(event, outcome, account, actor, client, _seconds(since), _seconds(until))


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.replace(tzinfo=UTC).timestamp()) if moment else None


def _whole(line: Line) -> dict[str, Any]:
    return {**asdict(line), "at": _at(line)}


def _short(line: Line) -> dict[str, Any]:
    return {
        "at": _at(line)[:19].replace("T", " "),
        "event": line.event,
        "outcome": "refused" if line.refused else "done",
        "by": line.by or line.actor,
        "person": line.person or line.account_id,
        "client": line.client_id,
        "address": line.address,
        "id": line.id,
    }


def _at(line: Line) -> str:
    moment = datetime.fromtimestamp(line.at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
