"""A test mail, so that an operator sees whether mail arrives."""

from idp.domain.accounts import Account
from idp.domain.audit import Audit, By, Entry
from idp.domain.outbox import Outbox
from idp.store.database import Store

KIND = "mail_test"
_LIFETIME = 3600


class MailTest:
    """Sends it: to nobody but whoever asks."""

    def __init__(self, store: Store, outbox: Outbox, audit: Audit) -> None:
        self._store = store
        self._outbox = outbox
        self._audit = audit

    def send(self, account: Account, by: By) -> None:
        """Write down a test mail to `account`, who asked for it."""
        with self._store.writing() as connection:
            self._outbox.put(
                connection,
                KIND,
                account.email,
                {},
                account_id=account.id,
                language=account.language,
                lifetime=_LIFETIME,
            )
            self._audit.record(connection, by.origin, Entry("mail.tested", by.actor, account.id))
