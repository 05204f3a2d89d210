"""Where entries are sent as they are sealed: a file, a collector by https or syslog.

`IDP_AUDIT_STREAMS` names them. A target takes a batch as a whole, or fails and gets it again.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from idp.config import ConfigurationError, Settings
from idp.config_sources import listed
from idp.domain.audit_log.formats import json_line
from idp.outbound.fetching import Fetcher, FetchFailed
from idp.outbound.syslog import SyslogFailed, SyslogSender
from idp.store.statements import Row

SECONDS = 10.0
"""For which an https collector is waited for."""
_NAME_LETTERS = 8
_AUDIT = 13
"""The facility "log audit" (RFC 5424 section 6.2.1)."""
_NOTICE, _WARNING = 5, 4
_LONGEST_MSGID = 32
_SYSLOG_PORT = 6514
_SCHEMES = frozenset({"https", "syslog+tls", "syslog+tcp"})


class NotDelivered(Exception):
    """A batch may not have arrived. The message is for the operator."""


@dataclass(frozen=True)
class Target:
    """`name` tells it from others, without what may be secret in its address."""

    name: str
    send: Callable[[Sequence[Row]], None]


def targets(settings: Settings, fetcher: Fetcher) -> list[Target]:
    """Return what the settings name. Raises ConfigurationError."""
    return [_target(address, settings, fetcher) for address in listed(settings.audit_streams)]


def _target(address: str, settings: Settings, fetcher: Fetcher) -> Target:
    parts = _parts(address)
    name = _name(address, parts)
    if parts.scheme == "file":
        return Target(name, _to_file(Path(parts.path)))
    if parts.scheme == "https":
        return Target(name, _to_collector(address, settings, fetcher))
    tls = parts.scheme == "syslog+tls"
    sender = SyslogSender(parts.hostname or "", parts.port or _SYSLOG_PORT, settings, tls=tls)
    return Target(name, _by_syslog(sender, settings))


def _parts(address: str) -> SplitResult:
    """Take an address apart. Raises ConfigurationError."""
    try:
        parts = urlsplit(address)
        fits = parts.port is None or parts.port > 0
    except ValueError:
        _refuse()
    if parts.scheme == "file":
        fits = not parts.netloc and parts.path.startswith("/")
    else:
        fits = fits and parts.scheme in _SCHEMES and bool(parts.hostname)
    if not fits or parts.username or parts.password or parts.fragment:
        _refuse()
    return parts


def _refuse() -> NoReturn:
    said = (
        "IDP_AUDIT_STREAMS: must be file:///path, https://host/path, syslog+tls://host:port or "
        "syslog+tcp://host:port, without a user or a password."
    )
    raise ConfigurationError([said])


def _name(address: str, parts: SplitResult) -> str:
    digest = hashlib.sha256(address.encode()).hexdigest()[:_NAME_LETTERS]
    return f"{parts.scheme}://{parts.netloc}#{digest}"


def _to_file(path: Path) -> Callable[[Sequence[Row]], None]:
    def send(entries: Sequence[Row]) -> None:
        lines = "".join(f"{json_line(entry)}\n" for entry in entries).encode()
        try:
            _append(path, lines)
        except OSError as error:
            raise NotDelivered(f"{path}: {error.strerror}") from error

    return send


def _append(path: Path, lines: bytes) -> None:
    """Write lines and wait for the disk. A line that broke off before gets an end first."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def _to_collector(
    address: str, settings: Settings, fetcher: Fetcher
) -> Callable[[Sequence[Row]], None]:
    token = settings.audit_stream_token.get_secret_value()
    headers = {"Content-Type": "application/x-ndjson"}
    if token:
        headers["Authorization"] = f"Bearer {token}"

    def send(entries: Sequence[Row]) -> None:
        body = "".join(f"{json_line(entry)}\n" for entry in entries).encode()
        try:
            status = fetcher.post(address, body, headers, seconds=SECONDS)
        except FetchFailed as failure:
            raise NotDelivered(failure.reason) from failure
        if status not in range(200, 300):
            raise NotDelivered(f"status {status}")

    return send


def _by_syslog(sender: SyslogSender, settings: Settings) -> Callable[[Sequence[Row]], None]:
    host = settings.issuer_host.partition(":")[0] or "-"

    def send(entries: Sequence[Row]) -> None:
        try:
            sender.send([_message(entry, host) for entry in entries])
        except SyslogFailed as failure:
            raise NotDelivered(str(failure)) from failure

    return send


def _message(entry: Row, host: str) -> bytes:
    """Write an entry as RFC 5424 section 6 says; what it tells is JSON."""
    severity = _WARNING if entry["outcome"] == "refused" else _NOTICE
    moment = datetime.fromtimestamp(entry["at_ms"] / 1000, UTC)
    at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    kind = "".join(letter for letter in str(entry["event"]) if "!" <= letter <= "~")
    header = f"<{_AUDIT * 8 + severity}>1 {at} {host} doorward - {kind[:_LONGEST_MSGID] or '-'} -"
    return f"{header} {json_line(entry)}".encode("ascii")
