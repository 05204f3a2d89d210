"""The policies in force: the shipped ones and the operator's own, read again when files change."""

import logging
import threading
from dataclasses import replace
from pathlib import Path

from idp.config import ConfigurationError
from idp.domain.clock import Clock
from idp.domain.policies import PoliciesUnusable, PolicySet, Schema, Source, parse

SHIPPED = Path(__file__).parents[1] / "policies"
_SETTING = "IDP_POLICIES_DIR"
_LOG = logging.getLogger(__name__)

_Stamp = tuple[tuple[str, int, int, int], ...]


class PolicyFiles:
    """Hands out the policies. Threads may share it.

    `folder` holds the operator's *.cedar files; empty: none. It is looked at every `seconds` at
    most. A new version that breaks a rule is logged and left alone as a whole: the one before
    stays in force. At start there is none before: raises ConfigurationError.
    """

    def __init__(self, folder: str, clock: Clock, seconds: float) -> None:
        self._folder = Path(folder) if folder else None
        self._clock = clock
        self._seconds = seconds
        self._looking = threading.Lock()
        try:
            self.schema = Schema(_source(SHIPPED / "schema.cedarschema"))
            self._shipped = [
                replace(_source(path), shipped=True) for path in sorted(SHIPPED.glob("*.cedar"))
            ]
            self._stamp, self._current = self._read()
        except PoliciesUnusable as error:
            raise ConfigurationError(error.problems) from error
        self._looked_at = clock()
        self._told: list[str] = []

    def current(self) -> PolicySet:
        """Return the policies in force."""
        if self._folder is not None and self._is_due() and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._current

    def _is_due(self) -> bool:
        # A clock that was set back must not keep an old version in force.
        return not 0 <= self._clock() - self._looked_at < self._seconds

    def _look(self) -> None:
        self._looked_at = self._clock()
        problems: list[str] = []
        try:
            if self._stamps() != self._stamp:
                self._stamp, self._current = self._read()
                _LOG.warning("policies changed: %d are in force", len(self._current.policies))
        except PoliciesUnusable as error:
            problems = error.problems
        # Once for each broken version, not at every look.
        if problems and problems != self._told:
            _LOG.error("new policies refused, the former stay in force: %s", " ".join(problems))
        self._told = problems

    def _read(self) -> tuple[_Stamp, PolicySet]:
        """Read everything. Raises PoliciesUnusable, also when a file changed meanwhile."""
        before = self._stamps()
        own = [_source(path) for path in self._paths()]
        policies = parse(self.schema, [*self._shipped, *own])
        if self._stamps() != before:
            raise PoliciesUnusable([f"{_SETTING}: a file changed while it was read."])
        return before, policies

    def _paths(self) -> list[Path]:
        if self._folder is None:
            return []
        try:
            found = [path for path in self._folder.iterdir() if path.suffix == ".cedar"]
        except OSError as error:
            raise _unreadable(self._folder, error) from error
        return sorted(found)

    def _stamps(self) -> _Stamp:
        """Return what differs when a file was changed, replaced, added or taken away."""
        found = []
        for path in self._paths():
            try:
                about = path.stat()
            except OSError as error:
                raise _unreadable(path, error) from error
            found.append((path.name, about.st_mtime_ns, about.st_size, about.st_ino))
        return tuple(found)


def _source(path: Path) -> Source:
    try:
        return Source(path.name, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> PoliciesUnusable:
    return PoliciesUnusable([f"{_SETTING}: cannot read {path} ({error})."])
