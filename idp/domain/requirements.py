"""Whether what somebody proved is enough for what they want, and if not, what is missing.

Policies decide; a client may ask for more than they do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from idp.domain.access import Access, Circumstances, Principal, Resource
from idp.domain.assurance import PHISHING_RESISTANT, Assurance, of_proofs
from idp.domain.clock import Clock
from idp.domain.devices import Devices
from idp.store import credential_marks
from idp.store import standings as rows
from idp.store.database import Connection, Store

SECOND_FACTORS = frozenset({"passkey", "authenticator"})
"""What makes a person's account one that has a second factor; recovery codes stand in for these."""
Missing = Literal["", "first", "fresh", "second", "passkey", "enrol", "enrol_passkey", "refused"]
"""Why proofs are not enough. `first`: none is a first factor; `fresh`: prove it again; `second`,
`passkey`: one more that the person has; `enrol`, `enrol_passkey`: one that they have to make first;
`refused`: nothing would help.
"""


@dataclass(frozen=True)
class Standing:
    """What policies ask about a person. `credentials` are the kinds that they have.

    `second_factor`: whether they have something beside the first factor, and know of it. A passkey
    that was made silently counts from its first use: it may be on one device of many, and asking
    for it elsewhere would lock its person out.
    """

    roles: frozenset[str]
    groups: frozenset[str]
    credentials: frozenset[str]
    second_factor: bool


@dataclass(frozen=True)
class Demand:
    """What somebody wants to do, and what is asked of them beyond the policies.

    `levels` are the strengths that a client asked for, the best liked first, `essential` whether
    nothing less will do;
    `fresh`: only what is proven in this interaction counts.
    """

    action: str
    resource: Resource
    levels: tuple[int, ...] = ()
    essential: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Proofs:
    """What an account proved: `held` by its session, `now` in this interaction (method: second).

    `marks` is what `marks_of` said when that was written down.
    """

    account_id: str
    held: Mapping[str, int]
    now: Mapping[str, int]
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Verdict:
    """`assurance` of the `proofs` that are enough, or what is `missing` and the sentence why; it is
    empty where policies are content and the client is not.
    """

    missing: Missing
    proofs: Mapping[str, int]
    assurance: Assurance | None = None
    sentence: str = ""
    policies: tuple[str, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


class Requirements:
    """Judges proofs."""

    def __init__(self, store: Store, access: Access, devices: Devices, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._devices = devices
        self._clock = clock

    def standing(self, account_id: str) -> Standing:
        """Return what policies ask about a person."""
        with self._store.reading() as connection:
            return self._standing(connection, account_id)

    def _standing(self, connection: Connection, account_id: str) -> Standing:
        return _standing(connection, account_id, int(self._clock()))

    def judge(self, proofs: Proofs, demand: Demand, device: str, address: str) -> Verdict:
        """Judge what was proven; `device` is the cookie by which the browser is known."""
        with self._store.reading() as connection:
            return self.judge_within(connection, proofs, demand, device, address)

    def judge_within(
        self, connection: Connection, proofs: Proofs, demand: Demand, device: str, address: str
    ) -> Verdict:
        """Judge in the caller's transaction.

        What was proven just now is enough by itself, or together with what the session holds:
        `auth_time` is the oldest proof that counts, so it is never younger than the truth.
        """
        if not still_hold(connection, proofs):
            proofs = replace(proofs, now={})
        standing = self._standing(connection, proofs.account_id)
        known = self._devices.find(connection, device, proofs.account_id)
        case = _Case(proofs.account_id, standing, demand, bool(known and known.trusted_until))
        fresh = self._weigh(case, proofs.now, address)
        if fresh.enough or demand.fresh:
            return fresh
        both = self._weigh(case, {**proofs.held, **proofs.now}, address)
        if both.missing == "fresh" and proofs.now:
            return fresh
        return both

    def _weigh(self, case: "_Case", proofs: Mapping[str, int], address: str) -> Verdict:
        assurance = of_proofs(proofs)
        if assurance is None:
            return Verdict("first", proofs)
        now = int(self._clock())
        decision = self._access.decide(
            Principal(
                case.account_id,
                case.standing.roles,
                case.standing.groups,
                case.standing.second_factor,
            ),
            case.demand.action,
            case.demand.resource,
            Circumstances(
                assurance.level,
                assurance.level >= PHISHING_RESISTANT,
                now - assurance.since,
                case.trusted,
                address,
                now,
            ),
        )
        if decision.allowed:
            missing, sentence = _asked_for(case, assurance), ""
        else:
            missing, sentence = _required(decision.requires, case.standing), decision.sentence
        return Verdict(missing, proofs, assurance, sentence, decision.policies)


@dataclass(frozen=True)
class _Case:
    account_id: str
    standing: Standing
    demand: Demand
    trusted: bool


def marks_of(connection: Connection, account_id: str) -> list[str]:
    """Return what tells whether a credential of an account is gone or another one later.

    Recovery codes may be: a new set is part of many a sign-in.
    """
    found = credential_marks.find(connection, account_id)
    return [mark for mark in found if not mark.startswith("recovery_codes ")]


def still_hold(connection: Connection, proofs: Proofs) -> bool:
    """Whether what was proven in an interaction counts still: a new password, or a factor that was
    removed, shuts out who was on the way in with the old one (SECURITY case 97).
    """
    if not proofs.now or not proofs.marks:
        return True
    return set(proofs.marks) <= set(marks_of(connection, proofs.account_id))


def _standing(connection: Connection, account_id: str, now: int) -> Standing:
    found = rows.find(connection, account_id, now)
    return Standing(
        frozenset(value for kind, value in found if kind == "role"),
        frozenset(value for kind, value in found if kind == "group"),
        frozenset(kind for kind, _ in found if kind not in {"role", "group"}),
        any(kind in SECOND_FACTORS and value != rows.SILENT for kind, value in found),
    )


def _required(requires: frozenset[str], standing: Standing) -> Missing:
    """Return what would lift a refusal by policies."""
    if "phishing-resistant" in requires:
        return _passkey(standing)
    if "two-factor" in requires:
        return "second" if standing.credentials & SECOND_FACTORS else "enrol"
    return "fresh" if "fresh" in requires else "refused"


def _asked_for(case: _Case, assurance: Assurance) -> Missing:
    """Return what a client asked for and did not get.

    Of wishes, the first that is reached, or can be with what the person has.
    """
    for level in case.demand.levels:
        if assurance.level >= level:
            return ""
        strong = level >= PHISHING_RESISTANT
        missing = _passkey(case.standing) if strong else _required(_TWO, case.standing)
        if case.demand.essential or not missing.startswith("enrol"):
            return missing
    return ""


def _passkey(standing: Standing) -> Missing:
    return "passkey" if "passkey" in standing.credentials else "enrol_passkey"


_TWO = frozenset({"two-factor"})
