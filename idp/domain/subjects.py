"""Under which name a client knows a person: OpenID Connect Core sections 8 and 8.1."""

from base64 import urlsafe_b64encode

from idp.crypto.secrets import keyed_digest
from idp.domain.accounts import Account
from idp.domain.clients import Client

_PURPOSE = "pairwise subject"


class Subjects:
    """Gives each person their `sub`: one for all public clients, one for each sector of the others.

    `key` is a secret of the server that never changes: people would become strangers everywhere.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, account: Account, client: Client) -> str:
        """Return the `sub` of a person for a client: 22 or 43 letters of base64url.

        A pairwise one is an HMAC-SHA-256 over sector and account: two sectors can't compare theirs,
        and nobody without the key can tell whose it is.
        """
        if client.sector is None:
            return account.subject
        # Neither a host nor an account's id holds a line break: no two pairs give the same text.
        value = keyed_digest(self._key, _PURPOSE, f"{client.sector}\n{account.id}")
        return urlsafe_b64encode(value).rstrip(b"=").decode()
