"""What domain refuses. Each carries a sentence that may be shown; `protocol` and `web` choose code
and form.
"""

from idp.domain.texts import marked


class DomainError(Exception):
    """A rule was broken. The message may be shown to whoever asked."""


class NotFound(DomainError):
    """There is no such thing, or not for this one."""


class Ended(NotFound):
    """It was there and is over. `client_id` is the client that began it, where that is known."""

    def __init__(self, message: str, client_id: str | None) -> None:
        super().__init__(message)
        self.client_id = client_id


class AlreadyExists(DomainError):
    """The name is taken."""


class Invalid(DomainError):
    """A value breaks a rule; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Refused(DomainError):
    """A credential does not work (any more). `reason` is for the audit log, never for
    the outside.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(marked("It is not valid, or not any more."))
        self.reason = reason


class Throttled(DomainError):
    """Too many tries. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(marked("Too many tries."))
        self.retry_after = retry_after


class Busy(DomainError):
    """The server has more of this work than it may take on. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(marked("Too busy right now."))
        self.retry_after = retry_after
