"""What can go wrong with the database, without its library's names."""


class StoreError(Exception):
    """The database did not do what was asked."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, is too busy, or refuses to write: try again."""


class Conflict(StoreError):
    """A constraint of the database forbids it: the value exists already, or what it refers to does
    not.
    """
