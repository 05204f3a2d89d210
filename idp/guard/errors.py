"""What goes wrong in the kit. None of it ever lets a request through."""


class ConfigurationError(ValueError):
    """The kit can't be used as it was set up. The sentence says what to change."""


class InvalidToken(Exception):
    """The token is not good, for everyone or here. `reason` is for the log, not for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(Exception):
    """Who has to be asked does not answer, or not with what was asked for."""
