"""The authorization request: RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2, RFC 8707,
RFC 9700.

Raw parameters become one frozen value. Client and redirect URI are proven first; until then errors
are shown and nothing is redirected.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from idp.domain import languages
from idp.domain.client_errors import Fault, Kind
from idp.domain.clients import Client
from idp.protocol import (
    claims_request,
    faults,
    pkce,
    redirect_uris,
    requested_acr,
    response_types,
    scopes,
)
from idp.protocol.claims_request import ClaimsRequest
from idp.protocol.errors import RedirectedError, ShownError
from idp.protocol.offer import USUAL, Offer
from idp.protocol.response_types import CODE, ID_TOKEN, QUERY

Parameters = Mapping[str, Sequence[str]]
"""Every parameter with all values that were sent."""

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
CREATE = "create"
"""Initiating User Registration 1.0: supported where people may make accounts themselves."""
_LONGEST_VALUE = 4096
_MOST_PARAMETERS = 100
_STORED = ("scope", "state", "nonce", "login_hint", "redirect_uri", "claims")
_STORES = 6 * 1024
"""Bytes that a request may leave with us while nobody signed in."""
_REFUSED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


def supported_prompts(*, create: bool) -> frozenset[str]:
    """Return the values of `prompt`; `create` where people may make accounts themselves."""
    return PROMPTS | {CREATE} if create else PROMPTS


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that may go on. `redirect_uri_sent` is False when the client's only one
    was meant; `ui_locales` names languages of ours only.

    `subjects` are the people one of whom has to sign in, as the client knows them; none: whoever
    comes. `acr_values` are those of ours that the client asked for, the best first;
    `acr_essential`: nothing else will do.
    """

    client_id: str
    redirect_uri: str
    redirect_uri_sent: bool
    scopes: tuple[str, ...]
    state: str | None
    nonce: str | None
    code_challenge: str | None
    prompt: tuple[str, ...]
    max_age: int | None
    login_hint: str
    subjects: tuple[str, ...]
    resource: str | None
    ui_locales: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False
    claims: ClaimsRequest = field(default_factory=ClaimsRequest)
    response_type: frozenset[str] = frozenset({CODE})
    response_mode: str = QUERY

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {**asdict(self), "response_type": sorted(self.response_type)}


def from_json(stored: Mapping[str, Any]) -> AuthorizationRequest:
    """Return what `as_json` stored."""
    values = dict(stored)
    values["scopes"] = tuple(values["scopes"])
    values["prompt"] = tuple(values["prompt"])
    values["subjects"] = tuple(values["subjects"])
    values["ui_locales"] = tuple(values.get("ui_locales", ()))
    values["acr_values"] = tuple(values.get("acr_values", ()))
    values["claims"] = claims_request.from_json(values.get("claims", {}))
    values["response_type"] = frozenset(values.get("response_type", (CODE,)))
    return AuthorizationRequest(**values)


def _without_objects(parameters: Parameters, client: Client) -> Parameters:
    """Return the parameters as they were sent: `request` and `request_uri` are refused later."""
    return parameters


@dataclass(frozen=True)
class Checks:
    """What the parser has to ask: clients, the subject of an `id_token_hint`, the owner of scopes
    and resources.

    `hinted_subject` takes token and client id, and returns None for a token we did not issue to
    this client; `resource_problem` takes resources, scopes and client, and returns what is wrong
    with them. `prompts` are the values of `prompt` that are supported here, `offer` is what else
    this server has. `resolve` returns the parameters from a request object, where there is one, and
    raises RedirectedError.
    """

    find_client: Callable[[str], Client | None]
    hinted_subject: Callable[[str, str], str | None]
    resource_problem: Callable[[Sequence[str], Sequence[str], Client], str | None]
    prompts: frozenset[str] = PROMPTS
    offer: Offer = USUAL
    resolve: Callable[[Parameters, Client], Parameters] = _without_objects


def parse(parameters: Parameters, checks: Checks) -> tuple[AuthorizationRequest, Client]:
    """Check a request. Raises ShownError, and RedirectedError once client and redirect URI are
    proven.
    """
    client = _client(parameters, checks)
    parameters = _resolved(parameters, client, checks)
    redirect_uri = _redirect_uri(parameters, client)
    try:
        return _rest(parameters, client, redirect_uri, checks), client
    except RedirectedError as error:
        error.redirect_uri = redirect_uri
        error.response_mode = _mode_of_errors(parameters)
        error.state = _state(parameters)
        raise


def _resolved(parameters: Parameters, client: Client, checks: Checks) -> Parameters:
    """Of a bad request object the client is told where what stands beside it proves the redirect
    URI.
    """
    try:
        return checks.resolve(parameters, client)
    except RedirectedError as error:
        sent = parameters.get("redirect_uri", ())
        if len(sent) != 1 or not redirect_uris.matches(client.redirect_uris, sent[0]):
            raise ShownError(
                error.error,
                error.description,
                client_id=client.client_id,
                reason=error.reason,
                fault=error.fault,
            ) from error
        error.redirect_uri = sent[0]
        error.response_mode = _mode_of_errors(parameters)
        error.state = _state(parameters)
        raise


def _client(parameters: Parameters, checks: Checks) -> Client:
    values = parameters.get("client_id", ())
    if len(values) != 1 or len(values[0]) > _LONGEST_VALUE:
        problem = "client_id is repeated." if values else "client_id is missing."
        raise ShownError("invalid_request", problem, parameter="client_id")
    client = checks.find_client(values[0])
    if client is None or client.disabled:
        raise ShownError(
            "invalid_client",
            "No such client is registered here, or it is disabled.",
            parameter="client_id",
            received=values[0],
            fault=Fault(Kind.UNKNOWN_CLIENT),
            disabled=client.client_id if client else None,
        )
    return client


def _redirect_uri(parameters: Parameters, client: Client) -> str:
    values = parameters.get("redirect_uri", ())
    openid = any("openid" in value.split() for value in parameters.get("scope", ()))
    if not values and len(client.redirect_uris) == 1 and not openid:
        return client.redirect_uris[0]
    if len(values) != 1:
        problem = "redirect_uri is repeated." if values else "redirect_uri is missing."
        raise ShownError(
            "invalid_request", problem, client_id=client.client_id, parameter="redirect_uri"
        )
    if not redirect_uris.matches(client.redirect_uris, values[0]):
        raise ShownError(
            "invalid_request",
            "redirect_uri is not registered for this client.",
            client_id=client.client_id,
            parameter="redirect_uri",
            received=values[0][:_LONGEST_VALUE],
            rule="It must equal a registered redirect URI, byte for byte (RFC 9700 section 2.1).",
            fault=faults.redirect_uri(client.redirect_uris, values[0]),
        )
    return values[0]


def _rest(
    parameters: Parameters, client: Client, redirect_uri: str, checks: Checks
) -> AuthorizationRequest:
    one = _single_values(parameters)
    _refuse_unsupported(one)
    response_type, response_mode = _response(one, client, checks.offer)
    granted = _scopes(one.get("scope"), client, response_type)
    _check_id_token(one, granted, response_type)
    challenge = _challenge(one, required=client.require_pkce and CODE in response_type)
    claims = claims_request.decode(one.get("claims", ""))
    wanted = requested_acr.parse(one.get("acr_values", ""), claims.id_token.get("acr"))
    resources = tuple(filter(None, parameters.get("resource", ())))
    if problem := checks.resource_problem(resources, granted, client):
        fault = Fault(Kind.RESOURCE, "resource", " ".join(resources), difference=problem)
        raise RedirectedError("invalid_target", problem, fault=fault)
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        redirect_uri_sent="redirect_uri" in parameters,
        scopes=granted,
        state=one.get("state"),
        nonce=one.get("nonce"),
        code_challenge=challenge,
        prompt=_prompt(one.get("prompt"), checks.prompts),
        max_age=_max_age(one.get("max_age"), client),
        login_hint=one.get("login_hint", ""),
        subjects=claims_request.subjects(
            claims, _hinted_subject(one.get("id_token_hint"), client, checks)
        ),
        resource=resources[0] if resources else None,
        ui_locales=languages.known(one.get("ui_locales", "").split()),
        acr_values=wanted.values,
        acr_essential=wanted.essential,
        claims=claims_request.parse(claims, one.get("claims_locales", ""), granted, client),
        response_type=response_type,
        response_mode=response_mode,
    )


def _state(parameters: Parameters) -> str | None:
    """What an error brings back; a long state would not fit through proxies."""
    values = parameters.get("state", ())
    return values[0] if len(values) == 1 and len(values[0]) <= _LONGEST_VALUE else None


def _single_values(parameters: Parameters) -> dict[str, str]:
    """Nothing but `resource` may be repeated (RFC 6749 section 3.1, RFC 8707 section 2)."""
    if len(parameters) > _MOST_PARAMETERS:
        raise RedirectedError("invalid_request", "There are too many parameters.")
    for name, values in parameters.items():
        fault = faults.parameter(name)
        if len(values) > 1 and name != "resource":
            raise RedirectedError("invalid_request", "A parameter is repeated.", fault=fault)
        if any(len(value) > _LONGEST_VALUE for value in values):
            raise RedirectedError("invalid_request", "A parameter is too long.", fault=fault)
    if _stored_bytes(parameters) > _STORES:
        raise RedirectedError("invalid_request", "The parameters are too long together.")
    # An empty value counts as absent (RFC 6749 section 3.1).
    return {name: values[0] for name, values in parameters.items() if values[0]}


def _stored_bytes(parameters: Parameters) -> int:
    """Count what the request would leave with us."""
    stored = "".join(value for name in _STORED for value in parameters.get(name, ()))
    return len(stored.encode("utf-8", "surrogatepass"))


def _refuse_unsupported(one: Mapping[str, str]) -> None:
    for name, error in _REFUSED.items():
        if name in one:
            text = f"The parameter {name} is not supported."
            raise RedirectedError(error, text, fault=faults.parameter(name))


def _mode_of_errors(parameters: Parameters) -> str:
    """How an error is sent; what is repeated says nothing."""
    types, modes = parameters.get("response_type", ()), parameters.get("response_mode", ())
    return response_types.mode_of_errors(
        types[0] if len(types) == 1 else "", modes[0] if len(modes) == 1 else ""
    )


def _response(one: Mapping[str, str], client: Client, offer: Offer) -> tuple[frozenset[str], str]:
    """Return the response type and mode; the client must have registered for the type."""
    if "response_type" not in one:
        text, fault = "response_type is missing.", faults.parameter("response_type")
        raise RedirectedError("invalid_request", text, fault=fault)
    name = response_types.canonical(one["response_type"])
    registered = tuple(sorted(client.response_types))
    fault = Fault(Kind.RESPONSE_TYPE, "response_type", one["response_type"], registered)
    if name not in offer.response_types:
        known = ", ".join(offer.response_types)
        text = f"response_type must be {'one of ' if len(offer.response_types) > 1 else ''}{known}."
        raise RedirectedError("unsupported_response_type", text, fault=fault)
    needed = response_types.grant_types_of([name])
    if name not in client.response_types or not needed <= client.grant_types:
        text = f"This client may not ask for {name}."
        raise RedirectedError("unauthorized_client", text, fault=fault)
    words = frozenset(name.split(" "))
    mode = one.get("response_mode") or response_types.usual_mode(words)
    if not response_types.suits(mode, words):
        fault = Fault(Kind.RESPONSE_MODE, "response_mode", mode)
        raise RedirectedError(
            "invalid_request", f"response_mode does not suit {name}.", fault=fault
        )
    return words, mode


def _challenge(one: Mapping[str, str], *, required: bool) -> str | None:
    challenge, method = one.get("code_challenge"), one.get("code_challenge_method")
    if problem := pkce.challenge_problem(challenge, method, required=required):
        # Of the challenge nothing is kept, and of the method only its name.
        sent = method if method in {"plain", "S256"} else ""
        fault = Fault(Kind.CODE_CHALLENGE, "code_challenge_method", sent or "", pkce.METHODS)
        raise RedirectedError("invalid_request", problem, fault=fault)
    return challenge


def _check_id_token(
    one: Mapping[str, str], granted: Collection[str], response_type: frozenset[str]
) -> None:
    """An ID token that comes through the browser is bound to a nonce (OpenID Connect Core sections
    3.2.2.1 and 3.3.2.11).
    """
    if ID_TOKEN not in response_type:
        return
    if "openid" not in granted:
        text, fault = "An ID token needs the scope openid.", faults.scope("", {"openid"})
        raise RedirectedError("invalid_scope", text, fault=fault)
    if "nonce" not in one:
        fault = faults.parameter("nonce")
        raise RedirectedError("invalid_request", "nonce is missing.", fault=fault)


def _scopes(text: str | None, client: Client, response_type: frozenset[str]) -> tuple[str, ...]:
    """Scopes the client may not ask for are left out before anything else looks at them (SECURITY
    case 12), and `offline_access` where no code is asked for (OpenID Connect Core section 11).
    """
    try:
        asked = scopes.parse(text or "")
    except scopes.InvalidScope as error:
        fault = faults.scope("", client.scopes)
        raise RedirectedError("invalid_scope", str(error), fault=fault) from error
    useless = set() if CODE in response_type else {"offline_access"}
    granted = tuple(scope for scope in scopes.granted(asked, client) if scope not in useless)
    if not granted:
        problem, fault = faults.NO_SCOPE, faults.scope(text or "", client.scopes)
        raise RedirectedError("invalid_scope", problem, fault=fault)
    return granted


def _prompt(text: str | None, prompts: frozenset[str]) -> tuple[str, ...]:
    values = tuple(dict.fromkeys((text or "").split()))
    if not prompts.issuperset(values):
        known = ", ".join(sorted(prompts))
        fault = faults.parameter("prompt", text or "", sorted(prompts))
        raise RedirectedError("invalid_request", f"prompt must be one of {known}.", fault=fault)
    if "none" in values and len(values) > 1:
        fault = faults.parameter("prompt", text or "", ["none"])
        raise RedirectedError("invalid_request", "prompt none stands alone.", fault=fault)
    return values


def _max_age(text: str | None, client: Client) -> int | None:
    if text is None:
        return client.default_max_age
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        fault = faults.parameter("max_age", text)
        raise RedirectedError(
            "invalid_request", "max_age must be a number of seconds.", fault=fault
        )
    return int(text)


def _hinted_subject(token: str | None, client: Client, checks: Checks) -> str | None:
    if token is None:
        return None
    subject = checks.hinted_subject(token, client.client_id)
    if subject is None:
        text, fault = "id_token_hint is no ID token of this client.", Fault(Kind.ID_TOKEN_HINT)
        raise RedirectedError("invalid_request", text, fault=fault)
    return subject
