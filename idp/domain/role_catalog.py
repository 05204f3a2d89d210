"""Which roles there are, whose they are, and what they include.

A role is nobody's, and then means something here and at every API, or belongs to the resource
server that it is about. Who has a role has every role that it includes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idp.crypto.secrets import uuid7
from idp.domain.access import PRIVILEGED_ROLES
from idp.domain.audit import Audit, By, Entry
from idp.domain.circles import closes_a_circle
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.roles import checked_role
from idp.domain.texts import marked
from idp.store import resources
from idp.store import roles as rows
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import Conflict

LONGEST_DESCRIPTION = 200


@dataclass(frozen=True)
class Role:
    """A role. `resource` is the identifier of the resource server that owns it, None: nobody does;
    `includes` are the roles that it brings, not those that these bring.
    """

    id: str
    name: str
    resource: str | None
    description: str
    includes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name as people tell roles apart: `editor`, `editor@https://notes.example`."""
        return f"{self.name}@{self.resource}" if self.resource else self.name


class RoleCatalog:
    """Adds and changes roles. What is changed here counts at the next request."""

    def __init__(self, store: Store, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def list(self) -> list[Role]:
        """Return every role, those of no resource server first."""
        with self._store.reading() as connection:
            return [*self.every(connection)]

    def every(self, connection: Connection) -> Sequence[Role]:
        """Return every role, as the caller's transaction sees it."""
        found = {row["id"]: _role(row) for row in rows.every(connection)}
        pairs = rows.inclusions(connection)
        included: dict[str, list[str]] = {}
        for pair in pairs:
            included.setdefault(pair["role_id"], []).append(found[pair["included_id"]].shown)
        return [
            Role(one.id, one.name, one.resource, one.description, tuple(sorted(included[one.id])))
            if one.id in included
            else one
            for one in found.values()
        ]

    def find(self, connection: Connection, shown: str) -> Role | None:
        """Return the role that is called so: `name`, or `name@resource`."""
        name, _, resource = shown.partition("@")
        row = rows.find(connection, name, resource or None)
        return _role(row) if row else None

    def get(self, connection: Connection, shown: str) -> Role:
        """Return the role that is called so. Raises NotFound."""
        found = self.find(connection, shown)
        if found is None:
            raise NotFound(marked("There is no role %(role)s.", role=shown))
        return found

    def add(self, shown: str, description: str, by: By) -> Role:
        """Add a role. Raises Invalid, NotFound, AlreadyExists."""
        name, _, resource = shown.partition("@")
        checked_role(name)
        if len(description) > LONGEST_DESCRIPTION or not (description or "-").isprintable():
            said = marked(
                "A description has at most %(most)s printable characters.", most=LONGEST_DESCRIPTION
            )
            raise Invalid("description", said)
        with self._store.writing() as connection:
            owner = self._owner(connection, resource) if resource else None
            try:
                self._insert(connection, name, owner, description.strip())
            except Conflict as error:
                raise AlreadyExists(
                    marked("There is a role %(role)s already.", role=shown)
                ) from error
            self._note(connection, "role.added", by, name=shown)
            return self.get(connection, shown)

    def ensure(self, connection: Connection, names: Iterable[str], by: By) -> dict[str, str]:
        """Return the ids of roles of no resource server, by name; those that are not there yet are
        added.
        """
        ids = {}
        for name in sorted(names):
            found = self.find(connection, name)
            if found is None:
                self._insert(connection, name, None, "")
                self._note(connection, "role.added", by, name=name)
            ids[name] = (found or self.get(connection, name)).id
        return ids

    def include(self, shown: str, included: str, by: By) -> None:
        """Let everybody who has a role have another one too. Raises Invalid, NotFound,
        AlreadyExists.
        """
        with self._store.writing() as connection:
            rows.lock(connection)
            outer, inner = self.get(connection, shown), self.get(connection, included)
            if outer.resource and inner.resource != outer.resource:
                said = marked("A role of a resource server includes roles of the same one only.")
                raise Invalid("included", said)
            pairs = ((row["role_id"], row["included_id"]) for row in rows.inclusions(connection))
            if closes_a_circle(pairs, outer.id, inner.id):
                raise Invalid("included", marked("%(role)s includes it already.", role=included))
            try:
                rows.include(connection, outer.id, inner.id, int(self._clock()))
            except Conflict as error:
                said = marked(
                    "%(role)s includes %(included)s already.", role=shown, included=included
                )
                raise AlreadyExists(said) from error
            self._note(connection, "role.included", by, name=shown, included=included)

    def exclude(self, shown: str, included: str, by: By) -> None:
        """Let a role bring another one no longer. Raises NotFound."""
        with self._store.writing() as connection:
            outer, inner = self.get(connection, shown), self.get(connection, included)
            if not rows.exclude(connection, outer.id, inner.id):
                said = marked(
                    "%(role)s does not include %(included)s.", role=shown, included=included
                )
                raise NotFound(said)
            self._note(connection, "role.excluded", by, name=shown, included=included)

    def remove(self, shown: str, by: By) -> None:
        """Delete a role: nobody has it any more. Raises NotFound, Invalid for one of our own."""
        with self._store.writing() as connection:
            found = self.get(connection, shown)
            if found.resource is None and found.name in PRIVILEGED_ROLES:
                said = marked("This server itself needs the role %(role)s.", role=shown)
                raise Invalid("role", said)
            rows.remove(connection, found.id)
            self._note(connection, "role.removed", by, name=shown)

    def _owner(self, connection: Connection, resource: str) -> str:
        found = resources.find(connection, resource)
        if not found:
            raise NotFound(marked("There is no resource server %(name)s.", name=resource))
        return str(found[0]["id"])

    def _insert(
        self, connection: Connection, name: str, owner: str | None, description: str
    ) -> None:
        row = {
            "id": uuid7(),
            "name": name,
            "resource_server_id": owner,
            "description": description,
            "created_at": int(self._clock()),
        }
        rows.add(connection, row)

    def _note(self, connection: Connection, event: str, by: By, **detail: str) -> None:
        self._audit.record(connection, by.origin, Entry(event, by.actor, detail=detail))


def _role(row: RowMapping) -> Role:
    return Role(row["id"], row["name"], row["resource"], row["description"])
