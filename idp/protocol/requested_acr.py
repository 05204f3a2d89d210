"""How strong a client wants the sign-in: OpenID Connect Core sections 3.1.2.1 (`acr_values`) and
5.5.1.1 (`acr` in `claims`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from idp.domain.assurance import ACR_VALUES, level_of_acr
from idp.protocol.claims_request import Wish, values_of
from idp.protocol.errors import RedirectedError

UNMET = "unmet_authentication_requirements"
"""The error when an essential `acr` can't be reached (Unmet Authentication Requirements 1.0)."""
_MOST_VALUES = 20


@dataclass(frozen=True)
class RequestedAcr:
    """The values of ours that a client asked for, the best first. `essential`: one of them, or
    nothing.
    """

    values: tuple[str, ...]
    essential: bool


def parse(acr_values: str, wish: Wish | None) -> RequestedAcr:
    """Read the parameter and how the claim is asked for in the ID token; an essential claim goes
    before a mere wish. Raises RedirectedError.
    """
    if wish:
        values, essential = values_of(wish) or [], wish.get("essential") is True
        known = tuple(value for value in values if value in ACR_VALUES)
        if essential and values and not known:
            raise RedirectedError(UNMET, "No acr that was asked for is known here.")
        if known:
            return RequestedAcr(known, essential)
    wished = acr_values.split()[:_MOST_VALUES]
    return RequestedAcr(tuple(value for value in wished if value in ACR_VALUES), essential=False)


def levels(values: Sequence[str], *, essential: bool) -> tuple[int, ...]:
    """Return the levels to reach, the best liked first: of values that are all good enough the
    least alone.
    """
    asked = tuple(level_of_acr(value) or 0 for value in values)
    return (min(asked),) if asked and essential else asked


def reported(values: Sequence[str], acr: str) -> str:
    """Return the `acr` to tell: of the values asked for the strongest that was reached, since who
    asked for one may compare; else what was reached.
    """
    reached = level_of_acr(acr) or 0
    met = [value for value in values if (level_of_acr(value) or 0) <= reached]
    return max(met, key=lambda value: level_of_acr(value) or 0, default=acr)
