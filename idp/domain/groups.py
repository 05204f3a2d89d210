"""Groups of people: flat or one in another. Who is in a group is in those around it too."""

from collections.abc import Iterable
from dataclasses import dataclass

from idp.crypto.secrets import uuid7
from idp.domain.audit import Audit, By, Entry
from idp.domain.circles import closes_a_circle
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.roles import checked_group
from idp.domain.texts import marked
from idp.store import groups as rows
from idp.store.database import Connection, Store
from idp.store.errors import Conflict


@dataclass(frozen=True)
class Group:
    """A group. `inside` are the groups that it is in, `people` how many were put into it."""

    id: str
    name: str
    description: str
    people: int
    inside: tuple[str, ...]


class Groups:
    """Adds and nests groups. What is changed here counts at the next request."""

    def __init__(self, store: Store, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def list(self) -> list[Group]:
        """Return every group by name."""
        with self._store.reading() as connection:
            found = rows.every(connection)
            pairs = rows.nestings(connection)
        names = {row["id"]: row["name"] for row in found}
        inside: dict[str, list[str]] = {}
        for pair in pairs:
            inside.setdefault(pair["inner_id"], []).append(names[pair["outer_id"]])
        return [
            Group(
                row["id"],
                row["name"],
                row["description"],
                row["people"],
                tuple(sorted(inside.get(row["id"], ()))),
            )
            for row in found
        ]

    def add(self, name: str, description: str, by: By) -> None:
        """Add a group. Raises Invalid, AlreadyExists."""
        name = checked_group(name)
        with self._store.writing() as connection:
            if name in rows.find(connection, [name]):
                raise AlreadyExists(marked("There is a group %(group)s already.", group=name))
            self._insert(connection, name, description.strip(), by)

    def ensure(self, connection: Connection, names: Iterable[str], by: By) -> dict[str, str]:
        """Return the ids of groups by name; those that are not there yet are added."""
        wanted = sorted(names)
        found = rows.find(connection, wanted)
        for name in wanted:
            if name not in found:
                found[name] = self._insert(connection, name, "", by)
        return found

    def find(self, connection: Connection, name: str) -> str | None:
        """Return the id of the group with this name. Raises Invalid."""
        name = checked_group(name)
        return rows.find(connection, [name]).get(name)

    def get(self, connection: Connection, name: str) -> str:
        """Return the id of the group with this name. Raises NotFound, Invalid."""
        found = self.find(connection, name)
        if found is None:
            raise NotFound(marked("There is no group %(group)s.", group=name))
        return found

    def nest(self, inner: str, outer: str, by: By) -> None:
        """Put everybody in a group into another one too. Raises Invalid, NotFound,
        AlreadyExists.
        """
        with self._store.writing() as connection:
            rows.lock(connection)
            inner_id, outer_id = self.get(connection, inner), self.get(connection, outer)
            pairs = ((row["inner_id"], row["outer_id"]) for row in rows.nestings(connection))
            if closes_a_circle(pairs, inner_id, outer_id):
                said = marked(
                    "%(outer)s is in %(inner)s, or is the same group.", inner=inner, outer=outer
                )
                raise Invalid("outer", said)
            try:
                rows.nest(connection, inner_id, outer_id, int(self._clock()))
            except Conflict as error:
                said = marked("%(inner)s is in %(outer)s already.", inner=inner, outer=outer)
                raise AlreadyExists(said) from error
            self._note(connection, "group.nested", by, name=inner, outer=outer)

    def unnest(self, inner: str, outer: str, by: By) -> None:
        """Take a group out of another one. Raises Invalid, NotFound."""
        with self._store.writing() as connection:
            ids = self.get(connection, inner), self.get(connection, outer)
            if not rows.unnest(connection, *ids):
                said = marked("%(inner)s is not in %(outer)s.", inner=inner, outer=outer)
                raise NotFound(said)
            self._note(connection, "group.unnested", by, name=inner, outer=outer)

    def remove(self, name: str, by: By) -> None:
        """Delete a group, and take everybody out of it. Raises Invalid, NotFound."""
        with self._store.writing() as connection:
            rows.remove(connection, self.get(connection, name))
            self._note(connection, "group.removed", by, name=name)

    def _insert(self, connection: Connection, name: str, description: str, by: By) -> str:
        row = {
            "id": uuid7(),
            "name": name,
            "description": description,
            "created_at": int(self._clock()),
        }
        try:
            rows.add(connection, row)
        except Conflict as error:
            raise AlreadyExists(
                marked("There is a group %(group)s already.", group=name)
            ) from error
        self._note(connection, "group.added", by, name=name)
        return str(row["id"])

    def _note(self, connection: Connection, event: str, by: By, **detail: str) -> None:
        self._audit.record(connection, by.origin, Entry(event, by.actor, detail=detail))
