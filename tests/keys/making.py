"""One of several processes that open an empty database at the same moment.

It waits for a line, makes what is missing, and prints what it would sign and answer with.
"""

import json
import sys
from pathlib import Path

from pydantic import SecretStr

from idp.config import Settings
from idp.domain.audit import Audit
from idp.domain.clock import system_clock
from idp.domain.installation import open_sealer
from idp.domain.server_secrets import NAMES, ServerSecrets
from idp.domain.signing_keys import SigningKeys
from tests.support.databases import Database, opened


def main(kind: str, url: str, data_dir: str, keys_dir: str, key: str) -> None:
    """Make the keys of the database that the arguments name."""
    settings = Settings(
        database_url=url,
        data_dir=Path(data_dir),
        keys_dir=Path(keys_dir),
        key_encryption_key=SecretStr(key),
    )
    with opened(Database(kind, url, Path(data_dir))) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        sealer = open_sealer(store, settings)
        secrets = ServerSecrets(store, sealer, system_clock)
        secrets.ensure()
        keys = SigningKeys(store, sealer, Audit(store, system_clock), system_clock, settings)
        keys.ensure()
        signing = [keys.active(algorithm).kid for algorithm in keys.algorithms]
        made = [secrets.get(name).hex() for name in NAMES]
        print(json.dumps([signing, keys.jwks().body.decode(), made]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
