"""What is registered of what somebody sent who is no operator: one way for clients that register
themselves (RFC 7591, RFC 7592) and for people who register theirs.
"""

from collections.abc import Mapping
from typing import Any

from idp.config import Settings
from idp.domain.clients import Client
from idp.domain.registration_policy import RegistrationPolicy
from idp.domain.throttling import Throttle
from idp.protocol import redirect_uris, registration, registration_bounds
from idp.protocol import sectors as sector_identifiers
from idp.protocol.offer import Offer
from idp.protocol.sectors import Sectors
from idp.protocol.software_statements import FIELD, SoftwareStatements


class RegistrationRules:
    """Checks metadata and completes them. Threads may share it."""

    def __init__(
        self,
        statements: SoftwareStatements,
        sectors: Sectors,
        throttle: Throttle,
        settings: Settings,
    ) -> None:
        self._statements = statements
        self._sectors = sectors
        self._throttle = throttle
        self._offer = Offer.of(settings)

    def settled(
        self,
        metadata: Mapping[str, Any],
        policy: RegistrationPolicy,
        address: str,
        former: Client | None = None,
    ) -> dict[str, Any]:
        """Return what is registered, complete with defaults and sector; `address` is where it came
        from, `former` the client whose metadata it replaces. Raises RegistrationError, Throttled.
        """
        stated = self._statements.applied(metadata)
        details = registration.validate(
            registration_bounds.with_defaults(stated, policy), operator=False, offer=self._offer
        )
        registration_bounds.check(details, policy)
        if FIELD in metadata:
            # The answer has to repeat it (RFC 7591 section 3.2.1).
            details[FIELD] = metadata[FIELD]
        if sector_identifiers.FIELD in details:
            # It makes us ask another server: not as often as somebody likes.
            self._throttle.count("fetch", address)
        return self._sectors.settled(details, former)

    def redirect_uri_problem(
        self, uri: str, application_type: str, policy: RegistrationPolicy
    ) -> str | None:
        """Say why this one can't be registered, by the rules of `settled`; None when it can."""
        return redirect_uris.problem(uri, application_type) or registration_bounds.host_problem(
            uri, policy.redirect_hosts
        )
