"""gunicorn, embedded: how many processes and threads, what they refuse, and what they may say."""

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.http import wsgi as gunicorn_wsgi

from idp.cli.tls import Tls
from idp.cli.worker import PatientWorker, is_news
from idp.config import Settings

THREADS_BESIDE_HASHING = 4
"""Threads that go on serving while every slot and every place of the password queue is taken."""
MOST_WORKERS_BY_DEFAULT = 4
_KEEP_ALIVE_SECONDS = 75
_GRACE_SECONDS = 8
_LONGEST_LINE = 8190
_MOST_HEADERS = 64
_LONGEST_HEADER = 8190
_FAST_FOLDER = Path("/dev", "shm")
"""In memory, for the heartbeats of the workers."""

WSGI = Callable[..., Any]


class Server(BaseApplication):
    """One application under gunicorn: loaded here, before the workers fork."""

    def __init__(self, application: WSGI, options: Mapping[str, Any]) -> None:
        self._application = application
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take our options and nothing else: no file, no environment, no command line."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGI:
        """Return the application."""
        return self._application


def run(
    application: WSGI,
    sockets: Sequence[socket.socket],
    settings: Settings,
    workers: int | None,
    started: Callable[[], None],
    worker_started: Callable[[], None],
    worker_stopping: Callable[[], None],
    tls: Tls | None = None,
) -> None:
    """Serve until a signal ends it; https with `tls`, else plain HTTP.

    `started` is called once, when the sockets are open, the others in each worker.
    """
    # What the server is made of helps attackers alone; there is no option for this header.
    vars(gunicorn_wsgi)["SERVER"] = "doorward"
    options = _options(settings, workers or default_workers())
    options["bind"] = [f"fd://{each.detach()}" for each in sockets]
    options["when_ready"] = lambda _arbiter: started()
    options["post_worker_init"] = lambda _worker: worker_started()
    PatientWorker.stopping = staticmethod(worker_stopping)
    PatientWorker.tls = tls
    # One more than are hashed: it is at hand when a slot is free. Other hashes find a place, too.
    PatientWorker.passwords_at_once = settings.hash_slots + min(1, settings.hash_queue)
    PatientWorker.passwords_in_line = settings.hash_line
    Server(application, options).run()


def default_workers() -> int:
    """Return the number of workers when nobody said it: one for each core that we may use."""
    return min(len(_cores()), MOST_WORKERS_BY_DEFAULT)


def _options(settings: Settings, workers: int) -> dict[str, Any]:
    return {
        "workers": workers,
        "worker_class": PatientWorker,
        "threads": settings.hash_slots + settings.hash_queue + THREADS_BESIDE_HASHING,
        "preload_app": True,
        "worker_tmp_dir": str(_FAST_FOLDER) if os.access(_FAST_FOLDER, os.W_OK) else None,
        # Longer than proxies keep idle connections (nginx: 60 s): none writes to a closing one.
        "keepalive": _KEEP_ALIVE_SECONDS,
        "graceful_timeout": _GRACE_SECONDS,
        "limit_request_line": _LONGEST_LINE,
        "limit_request_fields": _MOST_HEADERS,
        "limit_request_field_size": _LONGEST_HEADER,
        # X-Forwarded-* is judged in one place, web/security.py: gunicorn believes nobody.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "forwarder_headers": "",
        "control_socket_disable": True,
        "proc_name": "doorward",
        "loglevel": "warning",
        "on_starting": _use_our_log,
        "on_reload": _use_our_log,
        "pre_fork": _choose_core,
        "post_fork": _stay_on_core,
    }


def _use_our_log(_arbiter: Any) -> None:
    """gunicorn's own handlers go; what it has to say passes the one handler of request_log.py."""
    for name in ("gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.addFilter(is_news)


def _choose_core(arbiter: Any, worker: Any) -> None:
    """Give each worker a core of its own when there are no more cores than workers.

    Threads of one Python process that wander between cores lose half of their speed to the
    interpreter's lock (docs/decisions, 2026-11-23). With cores to spare the system knows better.
    """
    worker.core = None
    cores = _cores()
    if len(cores) > arbiter.cfg.workers or not hasattr(os, "sched_setaffinity"):
        return
    used = [getattr(other, "core", None) for other in arbiter.WORKERS.values()]
    worker.core = min(cores, key=used.count)


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _stay_on_core(_arbiter: Any, worker: Any) -> None:
    if worker.core is not None:
        os.sched_setaffinity(0, {worker.core})
