"""OpenID Connect RP-Initiated Logout 1.0."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from idp.domain import languages
from idp.domain.client_errors import Fault, Kind
from idp.domain.clients import Client
from idp.protocol import faults
from idp.protocol.authorization_request import Parameters
from idp.protocol.errors import ShownError
from idp.protocol.id_token_hints import Hint

FindClient = Callable[[str], Client | None]
_LONGEST_VALUE = 16 * 1024
_LONGEST_STATE = 4096
_LONGEST_LOCALES = 4096
_READ = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint")


@dataclass(frozen=True)
class LogoutRequest:
    """Who asks for what. `subject` and `sid` are the hint's; `continue_uri` is proven, with `state`
    in it; `ui_locales` names languages of ours only; `logout_hint` is whatever the client says.
    """

    client_id: str | None
    subject: str | None
    continue_uri: str | None
    ui_locales: tuple[str, ...] = ()
    sid: str | None = None
    logout_hint: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


def from_json(stored: Mapping[str, Any]) -> LogoutRequest:
    """Return what `as_json` stored."""
    values = dict(stored)
    values["ui_locales"] = tuple(values.get("ui_locales", ()))
    return LogoutRequest(**values)


def parse(
    parameters: Parameters,
    find_client: FindClient,
    hinted: Callable[[str], Hint | None],
) -> LogoutRequest:
    """Check a request (sections 2 and 3). Raises ShownError; nothing is redirected on error.

    `hinted` reads an ID token of ours, expired or not.
    """
    try:
        return _checked(parameters, find_client, hinted)
    except ShownError as error:
        error.client_id = error.client_id or _named(parameters, find_client)
        raise


def _checked(
    parameters: Parameters,
    find_client: FindClient,
    hinted: Callable[[str], Hint | None],
) -> LogoutRequest:
    one = _single_values(parameters)
    hint = _hint(one, hinted)
    client_id = hint.client_id if hint else one.get("client_id")
    client = _client(client_id, find_client) if client_id else None
    asked = _asked(client_id, hint, _ui_locales(parameters), one.get("logout_hint", ""))
    uri = one.get("post_logout_redirect_uri")
    if uri is None:
        return asked
    if client is None:
        raise ShownError(
            "invalid_request",
            "post_logout_redirect_uri needs an id_token_hint or a client_id.",
            parameter="post_logout_redirect_uri",
        )
    if uri not in client.post_logout_redirect_uris:
        raise ShownError(
            "invalid_request",
            "post_logout_redirect_uri is not registered for this client.",
            client_id=client_id,
            parameter="post_logout_redirect_uri",
            received=uri,
            rule="It must equal a registered one, byte for byte (section 3).",
            fault=faults.post_logout_redirect_uri(client.post_logout_redirect_uris, uri),
        )
    return replace(asked, continue_uri=_with_state(uri, one.get("state")))


def _client(client_id: str, find_client: FindClient) -> Client:
    client = find_client(client_id)
    if client is None or client.disabled:
        raise ShownError(
            "invalid_client",
            "No such client is registered.",
            parameter="client_id",
            fault=Fault(Kind.UNKNOWN_CLIENT),
            disabled=client.client_id if client else None,
        )
    return client


def _asked(
    client_id: str | None, hint: Hint | None, locales: tuple[str, ...], logout_hint: str
) -> LogoutRequest:
    """Return the request without the address to go on to."""
    subject, sid = (hint.subject, hint.sid) if hint else (None, None)
    return LogoutRequest(client_id, subject, None, locales, sid, logout_hint)


def _ui_locales(parameters: Parameters) -> tuple[str, ...]:
    """No language is worth an error: what can't be read is left out."""
    text = " ".join(parameters.get("ui_locales", ())[:1])
    return languages.known(text[:_LONGEST_LOCALES].split())


def _named(parameters: Parameters, find_client: FindClient) -> str | None:
    """Return the client that is named and enabled, to say whose request went wrong."""
    values = parameters.get("client_id", ())
    client = find_client(values[0]) if len(values) == 1 and len(values[0]) < 200 else None
    return client.client_id if client and not client.disabled else None


def _single_values(parameters: Parameters) -> dict[str, str]:
    one = {}
    for name in _READ:
        values = parameters.get(name, ())
        if len(values) > 1 or any(len(value) > _LONGEST_VALUE for value in values):
            raise ShownError("invalid_request", f"{name} is repeated or too long.", parameter=name)
        if values and values[0]:
            one[name] = values[0]
    return one


def _hint(one: Mapping[str, str], hinted: Callable[[str], Hint | None]) -> Hint | None:
    token, client_id = one.get("id_token_hint"), one.get("client_id")
    if token is None:
        return None
    found = hinted(token)
    if found is None:
        raise ShownError(
            "invalid_request",
            "id_token_hint is no ID token of ours.",
            parameter="id_token_hint",
            fault=Fault(Kind.ID_TOKEN_HINT, "id_token_hint"),
        )
    if client_id is not None and client_id != found.client_id:
        raise ShownError(
            "invalid_request",
            "client_id and id_token_hint disagree.",
            parameter="client_id",
            fault=Fault(Kind.ID_TOKEN_HINT, "id_token_hint"),
        )
    return found


def _with_state(uri: str, state: str | None) -> str:
    if state is None:
        return uri
    if len(state) > _LONGEST_STATE:
        raise ShownError("invalid_request", "state is too long.", parameter="state")
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}"
