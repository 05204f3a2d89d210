"""Passkeys: options for the browser and the check of its answers (W3C Web Authentication Level 3).

py_webauthn checks signatures and most fields; what it leaves out (section 7: cross-origin use, the
size of things, that identifiers agree) is checked here. Whose a credential is, and whether a
challenge may still be used, is not decided here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import webauthn
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    encode_cbor,
    parse_cbor,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp.crypto.webauthn_answers import Assertion, BadPasskey, Creation, members_of

_LARGEST_PUBLIC_KEY = 2048
_RSA_BITS = range(2048, 4096 + 1)
_RSA_EXPONENT = 65537  # an exponent of thousands of bits would take long to verify
_ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_MALFORMED = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the libraries raise for values of another type or shape than they expect."""


@dataclass(frozen=True)
class RelyingParty:
    """This server: `id` is a host name, `origins` are the ones whose pages may ask."""

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """Whom a passkey is made for. `handle` has at most 64 bytes and tells nothing about them."""

    handle: bytes
    name: str
    display_name: str


@dataclass(frozen=True)
class Credential:
    """A passkey that is known already, as the browser is told of it."""

    id: bytes
    transports: Sequence[str]


@dataclass(frozen=True)
class Created:
    """A verified new passkey. `public_key` is a COSE key; a key that is `synced` may be
    backed up, and is at the moment where `backed_up` says so (section 6.1.3).
    """

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    synced: bool
    backed_up: bool
    transports: tuple[str, ...]


@dataclass(frozen=True)
class Asserted:
    """What a verified use of a passkey says of it."""

    sign_count: int
    synced: bool
    backed_up: bool


def base64url(octets: bytes) -> str:
    """Return bytes as browsers' JSON holds them."""
    return bytes_to_base64url(octets)


def creation_options(
    party: RelyingParty,
    person: Person,
    challenge: str,
    exclude: Iterable[Credential],
    lifetime: int,
    *,
    silent: bool = False,
) -> str:
    """Return what `PublicKeyCredential.parseCreationOptionsFromJSON` takes, valid for `lifetime`
    seconds.

    `challenge` is 32 bytes in base64url. `silent` is for conditional mediation, in which nobody
    can be asked to verify themselves (section 5.1.3).
    """
    verification = UserVerificationRequirement.REQUIRED
    if silent:
        verification = UserVerificationRequirement.PREFERRED
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=person.handle,
        user_name=person.name,
        user_display_name=person.display_name,
        challenge=base64url_to_bytes(challenge),
        timeout=lifetime * 1000,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=verification
        ),
        exclude_credentials=_descriptors(exclude),
        supported_pub_key_algs=_ALGORITHMS,
    )
    return webauthn.options_to_json(options)


def request_options(
    party: RelyingParty, challenge: str, allow: Iterable[Credential], lifetime: int
) -> str:
    """Return what `PublicKeyCredential.parseRequestOptionsFromJSON` takes, valid for `lifetime`
    seconds. With nothing in `allow` the person chooses among all they have for this server.
    """
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=base64url_to_bytes(challenge),
        timeout=lifetime * 1000,
        allow_credentials=_descriptors(allow),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def _descriptors(known: Iterable[Credential]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=each.id, transports=[AuthenticatorTransport(name) for name in each.transports]
        )
        for each in known
    ]


def verify_creation(
    party: RelyingParty, creation: Creation, challenge: str, *, silent: bool = False
) -> Created:
    """Verify a new passkey (section 7.1) made for `challenge`. Raises BadPasskey.

    Its attestation statement is left out: none was asked for and none would be trusted.
    """
    _same_page(party, creation.client_data)
    try:
        verified = webauthn.verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(creation.credential_id),
                raw_id=creation.credential_id,
                response=AuthenticatorAttestationResponse(
                    client_data_json=creation.client_data,
                    attestation_object=_unattested(creation.attestation),
                ),
            ),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_presence=not silent,
            require_user_verification=not silent,
            supported_pub_key_algs=_ALGORITHMS,
        )
        _check_key(verified.credential_public_key)
    except _MALFORMED as error:
        raise BadPasskey(_reason(error)) from error
    if verified.credential_id != creation.credential_id:
        raise BadPasskey("the authenticator names another credential")
    return Created(
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        verified.aaguid,
        verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
        verified.credential_backed_up,
        creation.transports,
    )


def verify_assertion(
    party: RelyingParty, assertion: Assertion, challenge: str, public_key: bytes
) -> Asserted:
    """Verify a use of the passkey with this COSE key (section 7.2). Raises BadPasskey.

    Whether the sign count went on is for whoever keeps the last one.
    """
    _same_page(party, assertion.client_data)
    try:
        verified = webauthn.verify_authentication_response(
            credential=AuthenticationCredential(
                id=bytes_to_base64url(assertion.credential_id),
                raw_id=assertion.credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data_json=assertion.client_data,
                    authenticator_data=assertion.authenticator_data,
                    signature=assertion.signature,
                ),
            ),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise BadPasskey(_reason(error)) from error
    synced = verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    return Asserted(verified.new_sign_count, synced, verified.credential_backed_up)


def _same_page(party: RelyingParty, client_data: bytes) -> None:
    """Refuse what was not asked by a page of ours that stands alone (section 7.1 steps 9 to 11)."""
    members = members_of(client_data, "clientDataJSON")
    if members.get("origin") not in party.origins:
        raise BadPasskey("another origin")
    if members.get("crossOrigin", False) is not False or "topOrigin" in members:
        raise BadPasskey("inside a page of another origin")


def _unattested(attestation: bytes) -> bytes:
    """Return an attestation object with the same authenticator data and no statement."""
    members = parse_cbor(attestation)
    if not isinstance(members, dict) or not isinstance(members.get("authData"), bytes):
        raise BadPasskey("attestationObject: no authenticator data")
    return encode_cbor({"fmt": "none", "attStmt": {}, "authData": members["authData"]})


def _check_key(public_key: bytes) -> None:
    """Refuse a key that could not be used, or only at great cost."""
    if len(public_key) > _LARGEST_PUBLIC_KEY:
        raise BadPasskey("public key: too long")
    decoded = decode_credential_public_key(public_key)
    key = decoded_public_key_to_cryptography(decoded)
    if isinstance(key, EllipticCurvePublicKey):
        usable = isinstance(key.curve, SECP256R1)  # ES256 is P-256 here (section 5.8.5)
        algorithm = COSEAlgorithmIdentifier.ECDSA_SHA_256
    elif isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        usable = key.key_size in _RSA_BITS and numbers.e == _RSA_EXPONENT
        algorithm = COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256
    else:
        usable = isinstance(key, Ed25519PublicKey)
        algorithm = COSEAlgorithmIdentifier.EDDSA
    if not usable or decoded.alg != algorithm:
        raise BadPasskey("public key: not of a kind that was asked for")


def _reason(error: BaseException) -> str:
    """Say what is wrong in ASCII: what the library quotes need not be storable text."""
    if not isinstance(error, WebAuthnException):
        return f"malformed: {type(error).__name__}"
    return str(error).encode("ascii", "backslashreplace").decode()
