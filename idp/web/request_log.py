"""The log: JSON or text lines on the standard error stream, each with the id of its request.

Codes, tokens and passwords travel in queries, headers and bodies, so none of these is ever logged,
and libraries that write what they handle (Authlib logs issued tokens, SQLAlchemy its parameters)
are kept quiet at every level. Control characters are escaped: nothing that an outsider sends can
look like another event or steer a terminal.
"""

import contextlib
import contextvars
import json
import logging
import re
import secrets
import sys
import time
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from idp.config import Settings

_HANDLER = "doorward"
_TALKATIVE = ("authlib", "joserfc", "sqlalchemy", "alembic", "werkzeug", "gunicorn.error")
_SECRET_IN_PATH = re.compile(
    r"(/setup/+administrator/+|/interaction/+|/invitation/+|/mail/+|/account/+email/+(?:link|code)/+"
    r"|/signed-out/+)"
    r"[^\s?\"'/]+"
)
_QUERY = re.compile(r"\?[^\s\"']+")
_REJECTED_REQUEST = re.compile(r"^(Invalid request from ip=[^\s:]*).*", re.DOTALL)
_WORD = re.compile(r"[!#-<>-\[\]-~]+")
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
_request_id = contextvars.ContextVar("request_id", default="-")


def configure(settings: Settings) -> None:
    """Give every logger of this process the same form and the same stream."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    form: list[Processor] = [
        structlog.processors.format_exc_info,
        _as_json if settings.log_format == "json" else _as_text,
    ]
    facts: list[Processor] = [_add_request_id, structlog.processors.add_log_level, _add_time]
    structlog.configure(
        processors=[*facts, *form],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*facts, _without_secrets],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *form],
        )
    )
    _install(handler)
    for name in ("", *_TALKATIVE):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.getLogger("idp").setLevel(level)


def _install(handler: logging.Handler) -> None:
    """Take the place of the handler of an earlier call; what else listens stays."""
    handler.set_name(_HANDLER)
    root = logging.getLogger()
    for earlier in [found for found in root.handlers if found.name == _HANDLER]:
        root.removeHandler(earlier)
    root.addHandler(handler)


class RequestLog:
    """Numbers requests and writes one line for each."""

    def __init__(self) -> None:
        self._log: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind()

    def begin(self) -> str:
        """Return the id of a request that starts now on this thread: 16 hexadecimal digits."""
        request_id = secrets.token_hex(8)
        _request_id.set(request_id)
        return request_id

    def finish(self, method: str, path: str, status: int, started: float, address: str) -> None:
        """Write a request's line; `path` has no query, `started` is of time.perf_counter()."""
        taken = round((time.perf_counter() - started) * 1000, 1)
        shown = without_secret(path)
        with contextlib.suppress(OSError):
            self._log.info(
                "request", method=method, path=shown, status=status, ms=taken, address=address
            )


def without_secret(path: str) -> str:
    """Return a path with the secret of a one-time link left out."""
    return _SECRET_IN_PATH.sub(r"\1…", path)


def _without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Gunicorn quotes request lines and headers that it rejects, others quote addresses."""
    message = _REJECTED_REQUEST.sub(r"\1", str(event["event"]))
    event["event"] = without_secret(_QUERY.sub("?…", message))
    return event


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["request_id"] = _request_id.get()
    return event


def _add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    now = time.time()
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    event["time"] = f"{seconds}.{int(now % 1 * 1000):03d}Z"
    return event


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """ASCII only: whatever else is in a value stands there as an escape."""
    return _encode(event)


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    traceback = event.pop("exception", "")
    first = [event.pop("time"), event.pop("level"), _escaped(event.pop("event"), " ")]
    rest = [f"{name}={_escaped(value)}" for name, value in event.items()]
    below = [f"  | {_escaped(line, ' ')}" for line in traceback.splitlines()]
    return "\n".join([" ".join([*first, *rest]), *below])


def _escaped(value: Any, allowed: str = "") -> str:
    """Return a value as one word, or quoted as JSON does."""
    text = str(value)
    if allowed and text.isprintable():
        return text
    return text if _WORD.fullmatch(text) else json.dumps(text)
