"""One of several processes that start on one database.

It waits for a line, migrates, and prints the revision.
"""

import sys
from pathlib import Path

from idp.store import schema
from tests.support.databases import Database, opened


def main(kind: str, url: str, data_dir: str) -> None:
    """Migrate the database that the arguments name."""
    with opened(Database(kind, url, Path(data_dir))) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        schema.upgrade(store)
        print(schema.current_revision(store), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
