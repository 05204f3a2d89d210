"""Verifying the log: every entry against its leaf, every leaf against its seal and its place, the
tree against each checkpoint, and all of it against checkpoints that were kept elsewhere.

The first thing that is wrong, by position, is named. What whoever changed the database can't make
is a seal; what the operator, who could, can't change is a checkpoint that somebody else has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest

from idp.crypto.merkle import HASH_BYTES, Frontier, perfect_root
from idp.crypto.notes import BadNote, NoteKey
from idp.crypto.secrets import same
from idp.domain.audit_log import checkpoints, leaves
from idp.domain.audit_log.checkpoints import Checkpoint
from idp.domain.audit_log.keys import CheckpointKeys
from idp.domain.audit_log.leaves import SEAL_BYTES
from idp.domain.audit_log.tiles import WIDTH, cut, upper_tiles
from idp.store import audit_tree as rows
from idp.store.database import Connection, Store
from idp.store.statements import Row

_TILES_AT_ONCE = 8
_MOST_FAULTS = 100
Progress = Callable[[int, int], None]
"""Told how many of how many entries were looked at."""


@dataclass(frozen=True)
class Fault:
    """Something that is wrong. `position` is where, `entry_id` which entry, as far as they are
    known; not `exact`: somewhere from there on.
    """

    said: str
    position: int | None = None
    entry_id: str | None = None
    exact: bool = True


@dataclass
class Verdict:
    """What was found. `faults` begin with the first bad entry; none: the log is intact.

    `sealed` entries have a place in the tree; `dropped` of them were deleted when their time was
    over; `unsealed` have none yet, and nothing is proved of them. `kept` counts the checkpoints
    from elsewhere that the log agrees with.
    """

    origin: str | None = None
    sealed: int = 0
    dropped: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    kept: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class AuditVerification:
    """Verifies the log of one database."""

    def __init__(self, store: Store, keys: CheckpointKeys, secret: bytes) -> None:
        self._store = store
        self._keys = keys
        self._secret = secret

    def run(
        self,
        progress: Progress,
        kept: Sequence[str] = (),
        foreign_keys: Sequence[NoteKey] = (),
    ) -> Verdict:
        """Verify everything, and that the log goes on from each checkpoint in `kept` (signed
        notes). `foreign_keys` are believed beside the log's own.
        """
        with self._store.reading() as connection:
            # In this order: what is read later may only be newer.
            stored = rows.checkpoints(connection)
            head = rows.head(connection)
            trusted = [*self._keys.trusted(connection), *foreign_keys]
            verdict = Verdict(unsealed=rows.count_unsealed(connection))
            if head is None:
                _nothing_sealed(connection, verdict, kept)
                return verdict
            verdict.origin, verdict.sealed = head["origin"], head["size"]
            verdict.dropped = self._dropped(head, verdict)
            notes = [(row["note"], f"the checkpoint of size {row['size']}") for row in stored]
            points = _Points(head, trusted, verdict)
            points.add_own([*notes, (head["checkpoint"], "the newest checkpoint")])
            points.add_kept(kept)
            self._walk(connection, head, points, verdict, progress)
            _look_outside(connection, verdict)
        points.compare()
        verdict.faults.sort(key=_where)
        return verdict

    def _dropped(self, head: Row, verdict: Verdict) -> int:
        seal = leaves.dropped_seal_of(self._secret, head["origin"], head["dropped"])
        if same(seal, head["dropped_seal"]):
            return int(head["dropped"])
        said = "it was not this server that says which entries expired"
        verdict.faults.append(Fault(said, exact=False))
        return 0

    def _walk(
        self,
        connection: Connection,
        head: Row,
        points: "_Points",
        verdict: Verdict,
        progress: Progress,
    ) -> None:
        """Look at every leaf and its entry, and grow the tree anew; end at the first that is
        missing, behind which nothing can be said.
        """
        size, frontier, roots = head["size"], Frontier(), list[bytes]()
        for start, tiles in _stretches(connection, size):
            end = min(start + _TILES_AT_ONCE * WIDTH, size)
            entries = _by_position(rows.between(connection, start, end), verdict)
            for position in range(start, end, WIDTH):
                tile = tiles.get(position // WIDTH)
                hashes = _leaves_of(tile, min(WIDTH, size - position))
                if tile is None or hashes is None:
                    verdict.faults.append(Fault("the hashes of its leaves are missing", position))
                    return
                self._look_at(connection, position, hashes, tile["seals"], entries, verdict)
                for leaf in hashes:
                    frontier.append(leaf)
                    if frontier.size in points.sizes:
                        points.found(frontier)
                if len(hashes) == WIDTH:
                    roots.append(perfect_root(hashes))
            progress(end, size)
        _compare_upper(connection, roots, verdict)
        if frontier.peaks != head["peaks"]:
            said = "the head of the tree is not that of its leaves"
            verdict.faults.append(Fault(said, exact=False))

    def _look_at(
        self,
        connection: Connection,
        first: int,
        hashes: Sequence[bytes],
        seals: bytes,
        entries: Mapping[int, Row],
        verdict: Verdict,
    ) -> None:
        secret = self._secret
        sealed = cut(seals[: len(hashes) * SEAL_BYTES], SEAL_BYTES)
        for position, (leaf, seal) in enumerate(zip(hashes, sealed, strict=True), first):
            entry = entries.get(position)
            if leaves.seal_of(secret, position, leaf) != seal:
                said = "its leaf is not the one that was sealed at this position"
            elif entry is not None and leaves.hash_of(entry) != leaf:
                said = "the entry is not the one that was sealed"
            elif entry is None and not self._has_expired(connection, position, verdict):
                said = "the entry is missing"
            else:
                continue
            if len(verdict.faults) < _MOST_FAULTS:
                verdict.faults.append(Fault(said, position, entry["id"] if entry else None))

    def _has_expired(self, connection: Connection, position: int, verdict: Verdict) -> bool:
        """Tell whether we deleted the entry at a position; that may have been a moment ago."""
        if position < verdict.dropped:
            return True
        head = None if verdict.faults else rows.head(connection)
        if head is not None:
            verdict.dropped = self._dropped(head, verdict)
        return position < verdict.dropped


class _Points:
    """Checkpoints to compare with the tree while it is grown anew."""

    def __init__(self, head: Row, trusted: Sequence[NoteKey], verdict: Verdict) -> None:
        self._head = head
        self._trusted = trusted
        self._verdict = verdict
        self._points: list[tuple[Checkpoint, str, bool]] = []
        self._roots: dict[int, bytes] = {0: Frontier().root()}
        self.sizes: set[int] = set()

    def add_own(self, notes: Sequence[tuple[str, str]]) -> None:
        """Take the checkpoints that the database holds; the last one is the head's."""
        for note, name in notes:
            self._add(note, name, kept=False)
        newest = self._points[-1][0] if self._points else None
        if newest is None or newest.size != self._head["size"]:
            said = "the newest checkpoint is not that of the tree's size"
            self._verdict.faults.append(Fault(said, exact=False))

    def add_kept(self, notes: Sequence[str]) -> None:
        """Take checkpoints from elsewhere."""
        for at, note in enumerate(notes, 1):
            self._add(note, f"checkpoint {at} from elsewhere", kept=True)

    def found(self, frontier: Frontier) -> None:
        """Remember the root of the size that was reached."""
        self._roots[frontier.size] = frontier.root()

    def compare(self) -> None:
        """Say of each checkpoint whether the log agrees."""
        faults, agreed = self._verdict.faults, 0
        for point, name, kept in sorted(self._points, key=lambda each: each[0].size):
            if point.size > self._head["size"]:
                said = f"the log was rolled back: {name} has {point.size} entries"
                faults.append(Fault(said, self._head["size"], exact=False))
            elif self._roots.get(point.size) == point.root:
                agreed = point.size
                self._verdict.kept += kept
                self._verdict.checkpoints += not kept
            else:
                said = f"an entry from here to {point.size - 1} is another one than in {name}"
                faults.append(Fault(said, agreed, exact=False))

    def _add(self, note: str, name: str, *, kept: bool) -> None:
        try:
            point = checkpoints.read(note, self._trusted)
        except BadNote as error:
            self._verdict.faults.append(Fault(f"{name}: {error}", exact=False))
            return
        if point.origin != self._head["origin"]:
            said = f"{name} is of another log, {point.origin}"
            self._verdict.faults.append(Fault(said, exact=False))
            return
        self._points.append((point, name, kept))
        self.sizes.add(point.size)


def _nothing_sealed(connection: Connection, verdict: Verdict, kept: Sequence[str]) -> None:
    if kept:
        verdict.faults.append(Fault("the log was rolled back: it has no sealed entry at all", 0))
    _look_outside(connection, verdict)


def _look_outside(connection: Connection, verdict: Verdict) -> None:
    """Find entries that claim a place which the tree has not."""
    found = rows.outside(connection)
    if found:
        said = "the entry claims a place that was never sealed"
        verdict.faults.append(Fault(said, found["position"], found["id"]))


def _stretches(connection: Connection, size: int) -> Iterator[tuple[int, dict[int, Row]]]:
    """Yield the first position and the tiles of one stretch after the other."""
    for start in range(0, size, _TILES_AT_ONCE * WIDTH):
        number = start // WIDTH
        yield start, rows.tiles(connection, 0, number, number + _TILES_AT_ONCE)


def _by_position(found: Sequence[Row], verdict: Verdict) -> dict[int, Row]:
    entries = {row["position"]: row for row in found}
    if len(entries) < len(found):
        for former, row in pairwise(found):
            if former["position"] == row["position"]:
                said = f"two entries have this position, the other is {former['id']}"
                verdict.faults.append(Fault(said, row["position"], row["id"]))
                break
    return entries


def _leaves_of(tile: Row | None, count: int) -> list[bytes] | None:
    """Return the first `count` leaves of a tile, which may have grown since; None: it is broken."""
    if tile is None or len(tile["hashes"]) < count * HASH_BYTES:
        return None
    if len(tile["seals"]) * HASH_BYTES != len(tile["hashes"]) * SEAL_BYTES:
        return None
    return cut(tile["hashes"][: count * HASH_BYTES], HASH_BYTES)


def _compare_upper(connection: Connection, roots: Sequence[bytes], verdict: Verdict) -> None:
    """Proofs are made of the upper tiles: they have to be those of the leaves."""
    for level, hashes in enumerate(upper_tiles(roots), 1):
        for at in range(0, len(hashes), WIDTH):
            row = rows.tiles(connection, level, at // WIDTH, at // WIDTH + 1).get(at // WIDTH)
            stored = cut(row["hashes"], HASH_BYTES) if row else []
            for number, (expected, found) in enumerate(
                zip_longest(hashes[at : at + WIDTH], stored), at
            ):
                if expected is not None and expected != found:
                    said = f"hash {number} of level {level} is not that of its leaves"
                    verdict.faults.append(Fault(said, number * WIDTH**level, exact=False))
                    return


def _where(fault: Fault) -> tuple[bool, bool, int]:
    """Put what is known exactly first, by position, and what has no position last."""
    return not fault.exact, fault.position is None, fault.position or 0
