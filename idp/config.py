"""Every setting with its type, default, unit and meaning; read from the environment, checked all at
once.

Each setting `name` is `IDP_NAME`, or `IDP_NAME_FILE` with the path of a file that holds the value.
Durations are seconds. docs/reference/configuration.md is generated from this class.
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from idp.config_sources import PREFIX, ConfigurationError, FileSource, bare_origin, listed

__all__ = ["PREFIX", "ConfigurationError", "Network", "Settings", "load"]

SigningAlgorithm = Literal["RS256", "ES256", "PS256", "ES384", "EdDSA", "Ed25519", "HS256", "none"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SHORTEST_ACCESS_TOKEN = 300
LONGEST_ACCESS_TOKEN = 900
"""Seconds: the bounds of the setting, and of what a resource server asks for instead."""
_SQLITE = "sqlite:///"
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def _option(default: Any, text: str, **limits: Any) -> Any:
    return Field(default, description=text, **limits)


class Settings(BaseSettings):
    """The configuration of one node, frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    issuer: str = _option(
        "", "Issuer: the https origin at which people and clients reach this server."
    )
    data_dir: Path = _option(Path("var"), "Folder of the embedded database.")
    keys_dir: Path = _option(Path("keys"), "Folder of the key-encryption key.")
    database_url: str = _option("", "Database; empty: SQLite in the data folder. postgresql://…")
    key_encryption_key: SecretStr = _option(
        SecretStr(""),
        "Key-encryption key, 32 bytes in base64url; empty: a file in the keys folder.",
    )
    previous_key_encryption_key: SecretStr = _option(
        SecretStr(""), "The key before, open only while `idp keys rewrap` runs."
    )
    development: bool = _option(False, "Development mode; `idp dev` sets it. Never in production.")
    product: str = _option("Doorward", "Name shown on the pages.", min_length=1, max_length=60)
    help_url: str = _option("", "Address of a help page linked from each page.")
    privacy_url: str = _option("", "Address of a privacy page linked from each page.")
    smtp_url: SecretStr = _option(
        SecretStr(""),
        "Mail server: smtps://user:password@host:port, or smtp://…, which has to offer STARTTLS "
        "unless it is on this machine or ?tls=off is appended; empty: no mail is sent.",
    )
    mail_from: str = _option("", "Address that mail is sent from; empty: no-reply@ issuer's host.")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = _option(
        (), "Networks, comma separated, whose X-Forwarded-* headers are believed."
    )
    tls_certificate: str = _option(
        "",
        "Path of the certificate with its chain, in PEM, for https without a proxy; empty: plain "
        "HTTP. Read again when it is replaced.",
    )
    tls_key: str = _option("", "Path of the certificate's private key, in PEM, without password.")
    related_origins: Annotated[tuple[str, ...], NoDecode] = _option(
        (), "More https origins, comma separated, whose pages may use this server's passkeys."
    )
    log_level: Literal["debug", "info", "warning", "error"] = _option("info", "Least level logged.")
    log_format: Literal["json", "text"] = _option("json", "Form of the log lines.")

    code_lifetime: int = _option(60, "Authorization code, seconds.", ge=1, le=60)
    access_token_lifetime: int = _option(
        600, "Access token, seconds.", ge=SHORTEST_ACCESS_TOKEN, le=LONGEST_ACCESS_TOKEN
    )
    id_token_lifetime: int = _option(600, "ID token, seconds.", ge=60, le=3600)
    refresh_idle_lifetime: int = _option(14 * 86400, "Refresh token unused, seconds.", ge=60)
    refresh_absolute_lifetime: int = _option(90 * 86400, "Refresh token in all, seconds.", ge=60)
    refresh_retry_window: int = _option(
        10, "Seconds in which a repeated refresh gets the same answer; 0: never.", ge=0, le=60
    )
    interaction_lifetime: int = _option(1800, "Sign-in in progress, seconds.", ge=60)
    session_idle_lifetime: int = _option(86400, "Browser session unused, seconds.", ge=60)
    session_absolute_lifetime: int = _option(14 * 86400, "Browser session in all, seconds.", ge=60)
    session_kept_idle_lifetime: int = _option(
        30 * 86400, "Browser session of who asked to stay signed in, unused, seconds.", ge=60
    )
    session_kept_absolute_lifetime: int = _option(
        90 * 86400, "Browser session of who asked to stay signed in, in all, seconds.", ge=60
    )
    device_lifetime: int = _option(
        400 * 86400, "A browser that a person signed in from is known, seconds.", ge=60
    )
    trusted_device_lifetime: int = _option(
        30 * 86400, "A trusted browser stands in for the second factor, seconds.", ge=60
    )
    magic_link_lifetime: int = _option(600, "Link and code sent by mail, seconds.", ge=60, le=600)
    sign_up: Literal["open", "invitation", "closed"] = _option(
        "closed", "Who may make an account: anyone, whom an administrator invites, or nobody."
    )
    invitation_lifetime: int = _option(
        7 * 86400, "Link of an invitation, seconds.", ge=3600, le=30 * 86400
    )
    deletion_grace: int = _option(
        14 * 86400, "An account that its person deletes can be kept for so long, seconds.", ge=60
    )
    jwks_max_age: int = _option(
        300, "Seconds for which verifiers may cache the JWKS.", ge=1, le=86400
    )
    key_publication_margin: int = _option(
        3600, "Seconds beyond the JWKS max-age that a key is published before it signs.", ge=0
    )
    signing_algorithms: Annotated[tuple[SigningAlgorithm, ...], NoDecode] = _option(
        ("RS256", "ES256", "PS256", "ES384", "EdDSA", "HS256"),
        "How ID tokens and userinfo may be signed, comma separated; each has keys of its own, but "
        "HS256, whose key is the client's secret. RS256 and ES256 are needed; Ed25519 is EdDSA by "
        "its newer name; none lets clients register for no signature.",
    )
    front_channel_tokens: bool = _option(
        False,
        "Clients may register for tokens from the authorization endpoint (implicit and hybrid "
        "flow), which RFC 9700 advises against.",
    )
    key_rotation_period: int = _option(30 * 86400, "Seconds after which a new key signs.", ge=1)
    clock_skew: int = _option(
        10, "Difference between clocks that is allowed, seconds.", ge=0, le=60
    )
    cache_lifetime: int = _option(
        5, "Staleness of clients and keys on other nodes, seconds.", ge=0, le=5
    )
    audit_retention: int = _option(
        400 * 86400,
        "Audit entries are kept, and public keys that left the JWKS (for expired ID tokens that "
        "come back as hints), seconds.",
        ge=86400,
    )
    audit_streams: str = _option(
        "",
        "Where audit entries are sent as they are sealed, comma separated: file:///path, "
        "https://host/path, syslog+tls://host:port, syslog+tcp://host:port; empty: nowhere.",
    )
    audit_stream_token: SecretStr = _option(
        SecretStr(""), "Bearer token for the https targets among them; empty: none."
    )
    policies_dir: str = _option(
        "", "Folder of your own *.cedar policies, beside the shipped ones; empty: none."
    )
    password_min_length: int = _option(15, "Shortest password, characters.", ge=8, le=64)
    password_min_length_with_second_factor: int = _option(
        8, "Shortest password that is never enough alone, characters.", ge=8, le=64
    )
    breached_passwords_dir: str = _option(
        "", "Folder of range files of breached passwords, 00000.txt to FFFFF.txt; empty: none."
    )
    hash_slots: int = _option(2, "Password hashes computed at once in one process.", ge=1, le=64)
    hash_queue: int = _option(4, "Password checks that may wait in one process.", ge=0, le=1000)
    hash_line: int = _option(
        256,
        "Passwords that may stand in line before that in one worker of `idp serve`, where they"
        " take no thread. Who finds no place anywhere is told to come back.",
        ge=0,
        le=500,
    )
    network_limit: int = _option(
        120,
        "Sign-ins begun, passwords tried and failures, of each kind, from one network a minute.",
        ge=1,
    )
    registration: Literal["open", "token", "closed"] = _option(
        "closed",
        "Who may register applications over HTTP: anyone, who has an initial access token, or "
        "nobody.",
    )
    registration_scopes: Annotated[tuple[str, ...], NoDecode] = _option(
        ("openid", "profile", "email", "address", "phone", "offline_access"),
        "Scopes, comma separated, that applications may register where no initial access token "
        "says more.",
    )
    registration_redirect_hosts: Annotated[tuple[str, ...], NoDecode] = _option(
        (),
        "Hosts, comma separated, of their redirect URIs: app.example.com, *.example.com, or a "
        "scheme such as com.example.app: with its colon; empty: any.",
    )
    registration_require_pkce: bool = _option(
        True,
        "Applications that register themselves must use PKCE; false: only public ones and those "
        "that say so.",
    )
    registration_trusted: bool = _option(
        False,
        "Errors are sent to applications that registered themselves as to yours, at once and "
        "without showing where they lead.",
    )
    registration_limit: int = _option(
        60,
        "Applications registered without an initial access token from one network an hour.",
        ge=1,
    )
    developer_service_scopes: Annotated[tuple[str, ...], NoDecode] = _option(
        (),
        "Scopes, comma separated, for which people may register services on the developer pages: "
        "they get tokens for themselves, and nobody is asked; empty: no services.",
    )
    registration_unused_lifetime: int = _option(
        180 * 86400,
        "An application that registered itself is deleted when it was not used for so long, "
        "seconds.",
        ge=86400,
    )
    software_statement_issuers: str = _option(
        "", "JSON file that names who may sign software statements, and their keys; empty: nobody."
    )
    max_body_bytes: int = _option(256 * 1024, "Largest request body, bytes.", ge=4096)
    outbound_origins: Annotated[tuple[str, ...], NoDecode] = _option(
        (),
        "Origins, comma separated, that may be fetched from although their addresses are private: "
        "https://apps.internal.example:8443.",
    )
    outbound_ca_file: str = _option(
        "", "File of more certificate authorities (PEM), trusted in fetches; empty: none."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSource(settings_cls)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(map(ipaddress.ip_network, listed(value)))
        return value

    @field_validator(
        "registration_scopes",
        "registration_redirect_hosts",
        "developer_service_scopes",
        "signing_algorithms",
        mode="before",
    )
    @classmethod
    def _names(cls, value: Any) -> Any:
        return listed(value) if isinstance(value, str) else value

    @field_validator("issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        """The issuer is compared byte for byte: a bare origin (RFC 8414 section 2)."""
        return bare_origin(value) if value else value

    @field_validator("signing_algorithms")
    @classmethod
    def _needed(cls, value: tuple[SigningAlgorithm, ...]) -> tuple[SigningAlgorithm, ...]:
        """RS256 is everybody's (OpenID Connect Core section 15.1), ES256 access tokens'."""
        if not {"RS256", "ES256"} <= set(value):
            raise ValueError("must hold RS256 and ES256")
        return tuple(dict.fromkeys(value))

    @field_validator("tls_certificate", "tls_key")
    @classmethod
    def _path(cls, value: str) -> str:
        """What `idp config` shows must not be a key."""
        if "\n" in value or "-----" in value:
            raise ValueError("must be the path of the file, not what the file holds")
        return value

    @field_validator("related_origins", "outbound_origins", mode="before")
    @classmethod
    def _origins(cls, value: Any) -> Any:
        """Browsers send origins in one form; passkeys and fetches work over https alone."""
        if isinstance(value, str):
            value = listed(value)
        if not all(bare_origin(each).startswith("https://") for each in value):
            raise ValueError("must be https origins")
        return value

    @property
    def secure(self) -> bool:
        """Whether browsers reach this server over https."""
        return self.issuer.startswith("https://")

    @property
    def issuer_host(self) -> str:
        """The issuer's host with its port, as browsers send it in `Host`."""
        return self.issuer.partition("://")[2]

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address; PostgreSQL's names its driver."""
        if self.embedded:
            return f"{_SQLITE}{self.database_file}"
        url = self.database_url
        for scheme in ("postgresql://", "postgres://"):
            if url.startswith(scheme):
                return "postgresql+psycopg://" + url.removeprefix(scheme)
        return url

    @property
    def embedded(self) -> bool:
        """Whether the database is SQLite on this machine."""
        return not self.database_url or self.database_url.startswith(_SQLITE)

    @property
    def database_file(self) -> Path:
        """The file of the embedded database."""
        named = self.database_url.removeprefix(_SQLITE)
        return Path(named or self.data_dir / "doorward.sqlite3").absolute()


def load(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings. Raises ConfigurationError with every problem found."""
    try:
        return Settings(**(overrides or {}))
    except ValidationError as error:
        raise ConfigurationError([_sentence(problem) for problem in error.errors()]) from error


def _sentence(problem: Any) -> str:
    name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}."
