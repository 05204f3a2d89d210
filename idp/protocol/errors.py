"""The errors of OAuth 2.0 and OpenID Connect: shown to the person, sent to the client, or answered
to a machine.

The first two are different types, so that nothing can be redirected to a place that was not proven.
Texts are ours alone: no input is echoed into `error_description` (RFC 6749 section 5.2 allows few
characters there).
"""

from authlib.oauth2.rfc6749.errors import OAuth2Error

from idp.domain.client_errors import Fault, Kind

_TEXT = frozenset(map(chr, range(0x20, 0x7F))) - {'"', "\\"}


class ShownError(Exception):
    """An authorization or logout request that can't be answered to the client: shown on a page of
    ours.

    `parameter`, `received` and `rule` are for the developer's half of the page, `fault` is for who
    develops the client, `reason` for the audit log, where the description does not say it.
    `client_id` is shown, unless the client is `disabled`: strangers do not learn that there is one.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        client_id: str | None = None,
        parameter: str | None = None,
        received: str | None = None,
        rule: str | None = None,
        reason: str = "",
        fault: Fault | None = None,
        disabled: str | None = None,
    ) -> None:
        super().__init__(description)
        self.reason = reason or description
        self.error = error
        self.description = description
        self.client_id = client_id
        self.parameter = parameter
        self.received = received
        self.rule = rule
        self.fault = fault or Fault(Kind.PARAMETER, parameter or "")
        self.disabled = disabled


class RedirectedError(Exception):
    """An authorization request whose client and redirect URI are proven: the client is told (RFC
    6749 4.1.2.1). `reason` is for the audit log alone, where the description does not say it,
    `fault` for who develops the client.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        redirect_uri: str = "",
        state: str | None = None,
        reason: str = "",
        fault: Fault | None = None,
    ) -> None:
        super().__init__(description)
        self.reason = reason or description
        self.error = error
        self.description = description
        self.fault = fault or Fault(Kind.OTHER)
        self.redirect_uri = redirect_uri
        self.response_mode = "query"
        self.state = state


class MachineError(OAuth2Error):
    """An answer to a machine: JSON with `error` and `error_description` (RFC 6749 section 5.2).

    `challenge` becomes `WWW-Authenticate`. Authlib's endpoints translate it like its own errors.
    `recorded` says that an audit entry tells of it already, or that none has to; `reason` is for
    that entry alone, where the description does not say it; `fault` is for who develops the client.
    """

    def __init__(
        self,
        error: str,
        description: str,
        status: int = 400,
        challenge: str | None = None,
        *,
        recorded: bool = False,
        reason: str = "",
        fault: Fault | None = None,
    ) -> None:
        text = "".join(letter if letter in _TEXT else "'" for letter in description)
        super().__init__(description=text, status_code=status, error=error)
        self.challenge = challenge
        self.recorded = recorded
        self.reason = reason or text
        self.fault = fault or Fault(Kind.OTHER)

    def get_headers(self) -> list[tuple[str, str]]:
        """Return JSON and no-store headers, with the challenge where there is one."""
        headers: list[tuple[str, str]] = super().get_headers()
        return [*headers, ("WWW-Authenticate", self.challenge)] if self.challenge else headers


def invalid_request(description: str, fault: Fault | None = None) -> MachineError:
    """The request lacks something, repeats something or contradicts itself."""
    fault = fault or Fault(Kind.REQUEST_FORM)
    return MachineError("invalid_request", description, fault=fault)


def invalid_grant(fault: Fault, *, recorded: bool = False) -> MachineError:
    """Code or refresh token does not work: one text for every reason, so that none can be
    probed; `fault` must not tell one that is another client's from one that never was.
    """
    text = "It is not valid, or not any more."
    return MachineError("invalid_grant", text, recorded=recorded, fault=fault)


def bearer_challenge(
    realm: str, error: str | None = None, description: str = "", scope: str = ""
) -> str:
    """Return a `WWW-Authenticate` value (RFC 6750 section 3); without `error` when no token was
    sent.
    """
    parts = [f'Bearer realm="{realm}"']
    for name, value in (("error", error), ("error_description", description), ("scope", scope)):
        if value:
            parts.append(f'{name}="{value}"')
    return ", ".join(parts)
