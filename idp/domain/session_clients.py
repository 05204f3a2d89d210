"""The clients that a session is used for, and what they call it.

`sid` (OpenID Connect Back-Channel Logout 1.0 section 2.1) is random for each session and client, so
that two clients can't find out that theirs are the same session.
"""

from idp.crypto.secrets import random_identifier
from idp.domain.errors import NotFound
from idp.domain.texts import marked
from idp.store import session_clients as rows
from idp.store.database import Connection


def sid_of(connection: Connection, session_id: str, client_id: str, subject: str) -> str:
    """Return what this client calls the session, in the caller's transaction: the same each time.

    From now on it is told of the session's end. `subject` is what it calls the person. Raises
    NotFound when the session has ended.
    """
    found = rows.live(connection, session_id, client_id)
    if found and found["sid"] is None:
        rows.join(connection, session_id, client_id, random_identifier(), subject)
        found = rows.live(connection, session_id, client_id)
    if found is None:
        raise NotFound(marked("There is no such session."))
    return str(found["sid"])
