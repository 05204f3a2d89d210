"""How long it takes to seal and to verify an audit log: `python -m bench.audit [ENTRIES]`.

On a SQLite database in a temporary folder, or on the empty one that IDP_DATABASE_URL names.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.crypto.secrets import uuid7
from idp.domain.audit import Audit
from idp.domain.audit_log.parts import audit_log
from idp.domain.clock import system_clock
from idp.outbound.fetching import Fetcher
from idp.store import schema
from idp.store.database import Store, engine_options
from idp.store.tables import AuditEntry, table

USUAL = 1_000_000
_AT_ONCE = 10_000


def entries(count: int) -> Iterator[dict[str, Any]]:
    """Entries such as the token endpoint writes."""
    for number in range(count):
        yield {
            "id": uuid7(),
            "at_ms": int(time.time() * 1000),
            "event": "token.issued",
            "outcome": "done",
            "actor": "client:webapp",
            "account_id": uuid7(),
            "client_id": "webapp",
            "address": "192.0.2.7",
            "request_id": f"{number:016x}",
            "detail": {"grant": "authorization_code", "scopes": ["openid", "profile"]},
        }


def fill(store: Store, count: int) -> None:
    """Write `count` entries."""
    rows = entries(count)
    for start in range(0, count, _AT_ONCE):
        batch = [next(rows) for _ in range(min(_AT_ONCE, count - start))]
        with store.writing() as connection:
            connection.execute(insert(table(AuditEntry)), batch)


def measured(count: int, settings: Settings) -> dict[str, Any]:
    """Return the seconds that sealing and verifying take."""
    url = settings.sqlalchemy_url
    store = Store(create_engine(url, **engine_options(url)))
    schema.upgrade(store)
    fill(store, count)
    audit = Audit(store, system_clock)
    log = audit_log(
        store, Sealer([b"k" * 32]), audit, system_clock, settings, b"s" * 32, Fetcher(settings)
    )
    begun = time.perf_counter()
    log.sealer.seal_now()
    sealed = time.perf_counter()
    verdict = log.verification.run(lambda _done, _total: None)
    verified = time.perf_counter()
    store.close()
    if not verdict.intact or verdict.sealed != count:
        raise AssertionError(verdict)
    return {
        "database": url.partition(":")[0],
        "entries": count,
        "seal_seconds": round(sealed - begun, 1),
        "verify_seconds": round(verified - sealed, 1),
    }


def main() -> None:
    """Measure, and print it as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else USUAL
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder), database_url=os.environ.get("IDP_DATABASE_URL", "")
        )
        print(json.dumps(measured(count, settings)))


if __name__ == "__main__":
    main()
