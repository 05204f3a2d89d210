"""Who may do what, and how well they have to have signed in for it: one question, one answer.

Roles and groups are entities made for each request from what the store says now; the policies
are at most a few seconds old. What can't be decided is denied.
"""

import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

from idp.domain.clock import Clock
from idp.domain.policies import (
    NO_DECISION,
    UNKNOWN_ADDRESS,
    Answer,
    CannotDecide,
    Facts,
    Policy,
)
from idp.domain.policy_files import PolicyFiles
from idp.domain.texts import marked

ERROR = "error"
PRIVILEGED_ROLES = ("administrator", "auditor", "operator")
_PEOPLE_KEPT = 1024
_ADDRESSES_KEPT = 1024
_MOST_LOGGED = 100
_NOWHERE = "0.0.0.0/32"
_NOT_PERMITTED = marked("You may not do this.")
_UNDECIDED = marked("We can’t decide this right now, so the answer is no.")
_LOG = logging.getLogger(__name__)
_JSON = dict[str, Any]


@dataclass(frozen=True)
class Principal:
    """A person. `second_factor`: whether one, or a passkey, is enrolled and known of."""

    account_id: str
    roles: frozenset[str]
    groups: frozenset[str]
    second_factor: bool


@dataclass(frozen=True)
class Resource:
    """What it is done to: an `application` by its client_id, or the `console` account or admin."""

    kind: str
    id: str
    first_party: bool = False


@dataclass(frozen=True)
class Circumstances:
    """How somebody signed in, and from where.

    `assurance` is a level of `idp.domain.assurance`, 0 without any; `age` the seconds since its
    oldest proof; `address` an IP address; `now` seconds since 1970.
    """

    assurance: int
    phishing_resistant: bool
    age: int
    trusted_device: bool
    address: str
    now: int


@dataclass(frozen=True)
class Decision:
    """The answer, and why.

    `policies` are the ids that decided: none when nothing permits it, and `error` followed by the
    reason when it could not be decided. `requires` says what sign-in would lift a no (`two-factor`,
    `phishing-resistant`, `fresh`); empty: it is a plain no.
    """

    allowed: bool
    policies: tuple[str, ...]
    sentence: str
    requires: frozenset[str] = frozenset()


class Access:
    """Asks the policies. Threads may share it.

    `policies_dir` and `seconds` are those of PolicyFiles. Raises ConfigurationError.
    """

    def __init__(self, policies_dir: str, clock: Clock, seconds: float) -> None:
        self._files = PolicyFiles(policies_dir, clock, seconds)
        self._roles = self._files.schema.facts([_role(name) for name in PRIVILEGED_ROLES])
        self._facts = lru_cache(_PEOPLE_KEPT)(self._make_facts)
        self._logged: set[tuple[str, ...]] = set()

    def decide(
        self, principal: Principal, action: str, resource: Resource, circumstances: Circumstances
    ) -> Decision:
        """Tell whether the principal may do it. Never raises, and never allows on an error."""
        policies = self._files.current()
        network = _network(circumstances.address)
        if network is None and policies.reads_network:
            return self._undecided(Answer(False, problem=UNKNOWN_ADDRESS))
        request = {
            "principal": _name("User", principal.account_id),
            "action": _name("Action", action),
            "resource": _name(resource.kind.capitalize(), resource.id),
            "context": _context(circumstances, network or _NOWHERE),
        }
        try:
            facts = self._facts(principal, resource)
        except CannotDecide:
            return self._undecided(Answer(False, problem=NO_DECISION))
        answer = policies.answer(request, facts)
        return self._undecided(answer) if answer.problem else _decision(answer)

    def _make_facts(self, principal: Principal, resource: Resource) -> Facts:
        """Parse who and what it is about. Kept by value, so that no role can be out of date."""
        return self._files.schema.facts([_user(principal), _thing(resource)], beside=self._roles)

    def _undecided(self, answer: Answer) -> Decision:
        """Deny, and log each problem once: whoever causes it may ask a thousand times."""
        what = (ERROR, answer.problem, *answer.failed)
        if what not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add(what)
            _LOG.error("denied, because it could not be decided: %s", " ".join(what[1:]))
        return Decision(False, what, _UNDECIDED)


def _decision(answer: Answer) -> Decision:
    decided = answer.determining
    ids = tuple(policy.id for policy in decided)
    if answer.allowed:
        return Decision(True, ids, decided[0].sentence)
    # Where one no is final, what would lift the others helps nobody.
    final = [policy for policy in decided if not policy.requires]
    requires = frozenset[str]() if final else frozenset(policy.requires for policy in decided)
    return Decision(False, ids, _sentences(final or decided), requires)


def _sentences(policies: Iterable[Policy]) -> str:
    """Return one sentence for each thing that is missing, the first policy's."""
    told: dict[str, str] = {}
    for policy in policies:
        told.setdefault(policy.requires, policy.sentence)
    return reduce(_both, told.values()) if told else _NOT_PERMITTED


def _both(first: str, second: str) -> str:
    """The shipped ones are said in the reader's language, the operator's as they are."""
    return marked("%(first)s %(second)s", first=first, second=second)


def _name(kind: str, identifier: str) -> _JSON:
    return {"type": f"Doorward::{kind}", "id": identifier}


def _entity(name: _JSON, attributes: _JSON, parents: list[_JSON]) -> _JSON:
    return {"uid": name, "attrs": attributes, "parents": parents}


def _role(name: str) -> _JSON:
    return _entity(_name("Role", name), {}, [_name("Role", "privileged")])


def _user(principal: Principal) -> _JSON:
    parents = [_name("Role", role) for role in principal.roles]
    parents += [_name("Group", group) for group in principal.groups]
    attributes = {"second_factor": principal.second_factor}
    return _entity(_name("User", principal.account_id), attributes, parents)


def _thing(resource: Resource) -> _JSON:
    attributes = {"first_party": resource.first_party} if resource.kind == "application" else {}
    return _entity(_name(resource.kind.capitalize(), resource.id), attributes, [])


def _context(circumstances: Circumstances, network: str) -> _JSON:
    return {
        "assurance": circumstances.assurance,
        "phishing_resistant": circumstances.phishing_resistant,
        "age": circumstances.age,
        "trusted_device": circumstances.trusted_device,
        "network": {"__extn": {"fn": "ip", "arg": network}},
        "now": circumstances.now,
    }


@lru_cache(_ADDRESSES_KEPT)
def _network(address: str) -> str | None:
    """Return an address as Cedar reads it: no zone, IPv4 as such. None when it is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)
