"""What a developer is told of each kind of error, in English as the protocol is: what happened, and
what to do about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from idp.domain.client_errors import Kind


@dataclass(frozen=True)
class Explained:
    """One kind of error. `expected` says what the values are that would have been right."""

    sentence: str
    advice: str
    expected: str = "Registered"


_COMPARED = (
    "Addresses are compared byte for byte: no part of them is optional (RFC 9700 section 2.1)."
)
EXPLAINED: Mapping[Kind, Explained] = {
    Kind.REDIRECT_URI: Explained(
        "The redirect URI is not registered for this client.",
        "Send exactly what is registered, or register what the application sends. " + _COMPARED,
    ),
    Kind.RESPONSE_TYPE: Explained(
        "The client may not ask for this response type.",
        "Use code, with PKCE. Other response types must be registered for the client, and the "
        "operator must allow them.",
    ),
    Kind.RESPONSE_MODE: Explained(
        "The response mode does not suit the response type.",
        "Leave response_mode out, or use query or form_post with code.",
    ),
    Kind.SCOPE: Explained(
        "The client asked for scopes that it may not have.",
        "Ask for less, or add the scopes to the client’s registration. What a refresh token may "
        "have was settled when the person allowed it.",
        "Allowed",
    ),
    Kind.RESOURCE: Explained(
        "The resource is unknown, or the token can’t be for it.",
        "Send the identifier of one API, letter by letter, at both endpoints (RFC 8707).",
        "Authorized",
    ),
    Kind.PARAMETER: Explained(
        "A parameter is missing, repeated, or has no value that it may have.",
        "Send it once, with a value that its specification knows.",
        "Allowed",
    ),
    Kind.CODE_CHALLENGE: Explained(
        "The PKCE challenge is missing or not as it has to be.",
        "Let the library do PKCE with S256: code_challenge is the base64url SHA-256 of the "
        "code_verifier, 43 characters, sent with code_challenge_method S256 (RFC 7636).",
        "Supported",
    ),
    Kind.REQUEST_OBJECT: Explained(
        "The request object can’t be accepted.",
        "Sign it with a registered key and algorithm, for this issuer (aud), in the client’s name "
        "(iss), and fresh (exp). See RFC 9101.",
        "Accepted",
    ),
    Kind.REQUEST_URI: Explained(
        "The request object can’t be had from its request_uri.",
        "Register the address in request_uris, and serve the object there over https, quickly and "
        "without redirects. The digest in its fragment must be the document’s.",
    ),
    Kind.UNKNOWN_CLIENT: Explained(
        "There is no such client here, or it is disabled.",
        "Compare client_id with the one of the registration, and the issuer with the server’s. "
        "Only the operator can enable a disabled client.",
    ),
    Kind.AUTHENTICATION_METHOD: Explained(
        "The client did not authenticate in the way that is registered for it.",
        "Use exactly one method, the registered token_endpoint_auth_method, or change the "
        "registration. Basic wants id and secret form-urlencoded before they are joined.",
    ),
    Kind.CLIENT_SECRET: Explained(
        "The client secret is wrong, or has ended.",
        "Compare what the application is configured with; look for spaces, line ends and an old "
        "secret that was replaced. If it is lost, rotate it.",
    ),
    Kind.CLIENT_ASSERTION: Explained(
        "The client assertion does not prove the client.",
        "Sign a new one for each request with a registered key: iss and sub are the client_id, aud "
        "is the issuer as one text, exp within the hour, jti new (RFC 7523).",
        "Accepted",
    ),
    Kind.CLIENT_KEYS: Explained(
        "The client’s own keys stand in the way of the answer.",
        "Look at jwks or jwks_uri: it must be reachable over https, and hold a key of the "
        "registered algorithm and use.",
    ),
    Kind.REQUEST_FORM: Explained(
        "The request has not the form that this endpoint reads.",
        "Send a POST whose body is application/x-www-form-urlencoded in UTF-8, with every "
        "parameter there and none in the address.",
    ),
    Kind.GRANT_TYPE: Explained(
        "The client may not use this grant type.",
        "Register it in grant_types, or use one that is registered. There is no password grant.",
    ),
    Kind.CODE_UNKNOWN: Explained(
        "The code is none that this client was sent.",
        "Redeem the code with the client_id that asked for it, at this server, unchanged: decode "
        "the callback’s query once, not twice.",
    ),
    Kind.CODE_USED: Explained(
        "The code was redeemed before.",
        "A code works once, and its second use ends what came of the first. Look for a callback "
        "that is handled twice: a reload, a retry, or two parts that both listen.",
    ),
    Kind.CODE_EXPIRED: Explained(
        "The code came too late.",
        "Redeem it at once, in the request that received it. Look for a slow step before it.",
    ),
    Kind.CODE_REDIRECT_URI: Explained(
        "The redirect URI at the token endpoint is not the one of the authorization request.",
        "Send the same text in both requests. " + _COMPARED,
        "At the authorization endpoint",
    ),
    Kind.CODE_VERIFIER: Explained(
        "The PKCE verifier does not belong to the challenge of this sign-in.",
        "Keep one verifier for each sign-in, by its state: a second tab or a restart must not "
        "replace it. A wrong one burns the code.",
    ),
    Kind.AUTHORIZATION_ENDED: Explained(
        "What the person had allowed has ended.",
        "They signed out, took it back, or their account changed. Send them to sign in again; to "
        "outlast sign-outs, ask for offline_access.",
    ),
    Kind.REFRESH_UNKNOWN: Explained(
        "The refresh token is none that this client was given.",
        "Store it whole, with the client that it belongs to. Old ones are forgotten after a while.",
    ),
    Kind.REFRESH_EXPIRED: Explained(
        "The refresh token has expired.",
        "Send the person to sign in again.",
    ),
    Kind.REFRESH_REUSED: Explained(
        "The refresh token was used before, and replaced.",
        "Store the new one of each answer before anything else, and let only one process refresh. "
        "Reuse ends the whole authorization, since it may be a theft.",
    ),
    Kind.ID_TOKEN_HINT: Explained(
        "id_token_hint is no ID token that this client was given.",
        "Send the ID token as it came, unchanged; an expired one will do.",
    ),
    Kind.POST_LOGOUT_REDIRECT_URI: Explained(
        "The address after the sign-out is not registered for this client.",
        "Register it in post_logout_redirect_uris: redirect_uris do not count. " + _COMPARED,
    ),
    Kind.REGISTRATION_TOKEN: Explained(
        "The registration access token is wrong, or was replaced.",
        "Every update answers with a new one: store it.",
    ),
    Kind.REGISTRATION: Explained(
        "The new registration was refused, and the old one stays.",
        "The description says which value, and why.",
    ),
    Kind.OTHER: Explained(
        "The request was refused.",
        "The description says why.",
    ),
}
"""Every kind."""
