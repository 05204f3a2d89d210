"""How strong each way to prove who you are is, and what it puts into `amr` (RFC 8176) and `acr`."""

from collections.abc import Mapping
from dataclasses import dataclass

ONE_FACTOR = 1
TWO_FACTORS = 2
PHISHING_RESISTANT = 3

ACR_VALUES = (
    "urn:doorward:acr:one-factor",
    "urn:doorward:acr:two-factor",
    "urn:doorward:acr:phishing-resistant",
)
"""Every `acr`, the weakest first."""


@dataclass(frozen=True)
class Method:
    """What one way to prove who you are is worth: alone, and beside a first factor."""

    amr: tuple[str, ...]
    first: bool = False
    second: bool = False
    phishing_resistant: bool = False


# RFC 8176 section 2 has no value for a link or code sent by mail; "email" is our own. A recovery
# code is a one-time password. A passkey verifies its user, so it is two factors by itself.
METHODS = {
    "password": Method(("pwd",), first=True),
    "mail": Method(("email",), first=True),
    "authenticator": Method(("otp",), second=True),
    "recovery_code": Method(("otp",), second=True),
    "passkey": Method(("hwk", "user", "mfa"), phishing_resistant=True),
    "synced_passkey": Method(("swk", "user", "mfa"), phishing_resistant=True),
}
"""The one table of methods, in the order of their `amr`."""

_FIRST = tuple(name for name, one in METHODS.items() if one.first)
_SECOND = tuple(name for name, one in METHODS.items() if one.second)
_PHISHING_RESISTANT = tuple(name for name, one in METHODS.items() if one.phishing_resistant)
_AMR_ORDER = ("pwd", "email", "otp", "hwk", "swk", "user", "mfa")


@dataclass(frozen=True)
class Assurance:
    """What a sign-in is worth. `since`, seconds since 1970, is the time of the oldest proof that
    counts towards `level`: the `auth_time` of OpenID Connect Core section 2.
    """

    level: int
    acr: str
    amr: tuple[str, ...]
    since: int

    @property
    def phishing_resistant(self) -> bool:
        """Whether nobody could have relayed this sign-in from a false page."""
        return self.level >= PHISHING_RESISTANT


def of_proofs(proofs: Mapping[str, int]) -> Assurance | None:
    """Return what proven methods, each with the time of its proof, are worth together.

    None without a first factor. Of proofs that do the same, the newest counts. `amr` names the
    methods proven since `since`: an older one took no part. Methods this version does not know
    count for nothing.
    """
    passkey, first = _newest(proofs, _PHISHING_RESISTANT), _newest(proofs, _FIRST)
    second = _newest(proofs, _SECOND)
    if passkey is not None:
        return _assurance(PHISHING_RESISTANT, proofs, passkey)
    if first is None:
        return None
    if second is not None:
        return _assurance(TWO_FACTORS, proofs, min(first, second))
    return _assurance(ONE_FACTOR, proofs, first)


def level_of_acr(acr: str) -> int | None:
    """Return the level that an `acr` stands for, None for a value that is not ours."""
    return ACR_VALUES.index(acr) + 1 if acr in ACR_VALUES else None


def _newest(proofs: Mapping[str, int], methods: tuple[str, ...]) -> int | None:
    proven = [proofs[name] for name in methods if name in proofs]
    return max(proven) if proven else None


def _assurance(level: int, proofs: Mapping[str, int], since: int) -> Assurance:
    took_part = [
        METHODS[name].amr for name in METHODS.keys() & proofs.keys() if proofs[name] >= since
    ]
    said = {value for values in took_part for value in values}
    if level >= TWO_FACTORS:
        said.add("mfa")
    amr = tuple(value for value in _AMR_ORDER if value in said)
    return Assurance(level, ACR_VALUES[level - 1], amr, since)
