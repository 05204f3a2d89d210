"""Cedar policies: read, checked against the schema, and asked (docs.cedarpolicy.com).

Cedar lets policies share an id, skips a forbid that fails, and answers what it can't read with
errors instead of an exception. Here the first is refused, and the others are a `problem` that
never allows.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy

from idp.domain.texts import Text

Facts = cedarpy.Entities
"""Entities that were parsed and checked; made by `Schema.facts`."""

REQUIREMENTS = frozenset({"two-factor", "phishing-resistant", "fresh"})
NO_DECISION = "no decision"
UNKNOWN_ADDRESS = "unknown address"
FAILED = "failed"
"""Problems. Each holds a space or is followed by ids, so that none is taken for a policy."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RESERVED = {"error", FAILED}
_STRING_COMMENT_OR_END = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)
_BLANK = re.compile(r"(?:\s|//[^\n]*)*")
_PER_ACTION = re.compile(r'^for policy `policy\d+`, | for Doorward::Action::"\w+"')
_CEDARS_NAME = re.compile(r"policy `(policy\d+)`")


class PoliciesUnusable(Exception):
    """Policies or their schema break a rule. `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class CannotDecide(Exception):
    """Cedar did not understand what it was given."""


@dataclass(frozen=True)
class Source:
    """A file of policies or a schema, as it was read. The sentences of a `shipped` one are in
    the catalogs.
    """

    name: str
    text: str
    shipped: bool = False


@dataclass(frozen=True)
class Policy:
    """One policy. `place` is its file and line; `requires` is one of REQUIREMENTS, or empty."""

    id: str
    forbids: bool
    sentence: str
    requires: str
    place: str
    text: str
    reads_network: bool


@dataclass(frozen=True)
class Answer:
    """What the policies say. `determining` made it so, in the order in which they were read.

    With a `problem` nothing is allowed; `failed` holds the ids of policies that broke.
    """

    allowed: bool
    determining: tuple[Policy, ...] = ()
    problem: str = ""
    failed: tuple[str, ...] = ()


class Schema:
    """What policies may speak of. Raises PoliciesUnusable."""

    def __init__(self, source: Source) -> None:
        try:
            self.parsed = cedarpy.Schema.from_str(source.text)
        except ValueError as error:
            raise PoliciesUnusable([f"{source.name}: {error}."]) from error

    def facts(self, entities: Sequence[Mapping[str, Any]], beside: Facts | None = None) -> Facts:
        """Parse and check entities in Cedar's JSON form. Raises CannotDecide."""
        text = json.dumps(entities)
        try:
            if beside is None:
                return Facts.from_json_str(text, self.parsed)
            return beside.with_added_json_str(text, self.parsed)
        except ValueError as error:
            raise CannotDecide(str(error)) from error


class PolicySet:
    """Checked policies, parsed once. Immutable: threads may share it."""

    def __init__(self, schema: Schema, policies: Sequence[Policy]) -> None:
        self._schema = schema
        self._order = {policy.id: (n, policy) for n, policy in enumerate(policies)}
        self._parsed = cedarpy.PolicySet.from_str("\n".join(policy.text for policy in policies))
        templates = self._parsed.to_pst().static_policies
        self._ids = {name: one.annotations["id"] for name, one in templates.items()}
        self.reads_network = any(policy.reads_network for policy in policies)
        self.policies = tuple(policies)

    def answer(self, request: dict[str, Any], facts: Facts) -> Answer:
        """Decide a request in Cedar's JSON form. Never raises for what it holds."""
        try:
            result = cedarpy.is_authorized(request, self._parsed, facts, self._schema.parsed)
        except (ValueError, TypeError):
            return Answer(False, problem=NO_DECISION)
        if result.decision is cedarpy.Decision.NoDecision:
            return Answer(False, problem=NO_DECISION)
        if errors := result.diagnostics.errors:
            named = {self._ids[name] for name in _CEDARS_NAME.findall(" ".join(errors))}
            return Answer(False, problem=FAILED, failed=tuple(sorted(named)))
        reasons = sorted(self._order[self._ids[name]] for name in result.diagnostics.reasons)
        return Answer(result.allowed, tuple(policy for _, policy in reasons))


def parse(schema: Schema, sources: Sequence[Source]) -> PolicySet:
    """Read and check every policy. Raises PoliciesUnusable with everything that is wrong."""
    problems: list[str] = []
    policies: dict[str, Policy] = {}
    for source in sources:
        for line, text in _statements(source.text):
            try:
                policy = _policy(schema, source, line, text)
            except PoliciesUnusable as error:
                problems += error.problems
                continue
            if first := policies.get(policy.id):
                problems.append(f"{policy.place}: @id {policy.id} is taken by {first.place}.")
            policies.setdefault(policy.id, policy)
    if problems:
        raise PoliciesUnusable(problems)
    return PolicySet(schema, list(policies.values()))


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each policy with the line it begins on. Cedar's parser does not tell lines."""
    start = 0
    ends = [m.end() for m in _STRING_COMMENT_OR_END.finditer(text) if m[0] == ";"]
    for end in [*ends, len(text)]:
        matched = _BLANK.match(text, start, end)
        begin = matched.end() if matched else start
        if begin < end:
            yield text.count("\n", 0, begin) + 1, text[begin:end]
        start = end


def _policy(schema: Schema, source: Source, line: int, text: str) -> Policy:
    """Parse and check one policy. Raises PoliciesUnusable."""
    place = f"{source.name} line {line}"
    try:
        parsed = cedarpy.PolicySet.from_str(text).to_pst()
    except ValueError as error:
        raise PoliciesUnusable([f"{place}: {error}."]) from error
    if parsed.templates:
        raise PoliciesUnusable([f"{place}: a template; nothing would fill its slots."])
    (only,) = parsed.static_policies.values()
    policy = Policy(
        id=only.annotations.get("id") or "",
        forbids=only.effect == "forbid",
        sentence=_sentence(source, only.annotations.get("sentence") or ""),
        requires=only.annotations.get("requires", ""),
        place=place,
        text=text,
        reads_network="network" in repr(only.clauses),
    )
    problems = [*_annotation_problems(policy, "requires" in only.annotations)]
    # Cedar says the same for each action, in any order.
    told = cedarpy.validate_policies(text, schema.parsed).errors
    problems += sorted({_PER_ACTION.sub("", one.error) for one in told})
    if problems:
        named = f"{place} ({policy.id})" if policy.id else place
        raise PoliciesUnusable([f"{named}: {problem}." for problem in problems])
    return policy


def _sentence(source: Source, text: str) -> str:
    return Text(text, None, {}) if source.shipped else text


def _annotation_problems(policy: Policy, lifts: bool) -> Iterator[str]:
    if not _ID.fullmatch(policy.id) or policy.id in _RESERVED:
        yield "needs an @id of letters, digits, dots, dashes and underscores"
    if not policy.sentence:
        yield "needs a @sentence, which people are told"
    if lifts and not (policy.forbids and policy.requires in REQUIREMENTS):
        yield f"@requires is for a forbid, and one of {', '.join(sorted(REQUIREMENTS))}"
