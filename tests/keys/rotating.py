"""One of several processes that all want to rotate. It waits for a line and prints how it ended."""

import sys
from pathlib import Path

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Origin
from idp.domain.key_rotation import TooEarly
from idp.domain.signing_keys import SigningKeys
from tests.keys.sealing_keys import KEY
from tests.support.databases import Database, opened
from tests.support.held_clock import HeldClock


def main(kind: str, url: str, data_dir: str, now: str) -> None:
    """Rotate the keys of the database that the arguments name, at `now`."""
    clock = HeldClock(float(now))
    with opened(Database(kind, url, Path(data_dir))) as store:
        keys = SigningKeys(store, Sealer([KEY]), Audit(store, clock), clock, Settings())
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            keys.rotate(origin=Origin(), actor="operator:test")
        except TooEarly:
            print("too early", flush=True)
        else:
            print("rotated", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
