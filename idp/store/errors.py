"""What can go wrong with the database, without its library's names."""

from typing import Any


class StoreError(Exception):
    """The database did not do what was asked."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, is too busy, or refuses to write: try again."""


class Conflict(StoreError):
    """A constraint of the database forbids it: the value exists already, or what it refers to does
    not.
    """


def renamed(error: BaseException, driver: Any) -> StoreError | None:
    """Return our name for an error of a database driver (PEP 249); None for a wrong statement.

    Lost connections, locks, read-only and full databases pass: trying again may help.
    """
    if isinstance(error, driver.IntegrityError):
        return Conflict(str(error))
    if isinstance(error, (driver.OperationalError, driver.InternalError, driver.InterfaceError)):
        return StoreUnavailable(type(error).__name__)
    return None
