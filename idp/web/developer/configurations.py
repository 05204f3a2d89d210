"""Configurations to copy, filled with an application's own values: for Authlib, oidc-client-ts,
Spring and curl, each where its kind of application runs.

Every value is quoted as the language of its file wants it. The secret is in it only on the page
that shows it once.
"""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from idp.domain.clients import Client
from idp.protocol import metadata
from idp.protocol.application_kinds import (
    COMMAND_LINE,
    NATIVE,
    SERVICE,
    SINGLE_PAGE,
    WEB,
    kind_of,
)

PLACEHOLDER = "YOUR-CLIENT-SECRET"
_USUAL = ("openid", "profile", "email")
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Configuration:
    """`name` is what it is for, `file` where it belongs."""

    key: str
    name: str
    file: str
    text: str


@dataclass(frozen=True)
class _Values:
    issuer: str
    client_id: str
    secret: str | None
    redirect_uri: str
    scope: str


def configurations(client: Client, issuer: str, secret: str | None = None) -> list[Configuration]:
    """Return those that suit a client; without its `secret` a placeholder stands for it."""
    shown = None if client.public else secret or PLACEHOLDER
    redirect_uri = next(iter(client.redirect_uris), "")
    values = _Values(issuer, client.client_id, shown, redirect_uri, _scope(client))
    return [make(values) for make in _SUITABLE[kind_of(client)]]


def _scope(client: Client) -> str:
    usual = [scope for scope in _USUAL if scope in client.scopes]
    return " ".join(usual or sorted(client.scopes))


def _authlib_for_flask(values: _Values) -> Configuration:
    path = urlsplit(values.redirect_uri).path or "/"
    text = f"""\
# pip install authlib flask requests
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session

app = Flask(__name__)
app.secret_key = os.urandom(32)
oauth = OAuth(app)
oauth.register(
    "doorward",
    client_id={_quoted(values.client_id)},
    client_secret={_quoted(values.secret)},
    server_metadata_url={_quoted(values.issuer + _DISCOVERY)},
    client_kwargs={{"scope": {_quoted(values.scope)}, "code_challenge_method": "S256"}},
)


@app.get("/login")
def login():
    return oauth.doorward.authorize_redirect({_quoted(values.redirect_uri)})


@app.get({_quoted(path)})
def callback():
    token = oauth.doorward.authorize_access_token()
    session["person"] = oauth.doorward.userinfo(token=token)
    return redirect("/")
"""
    return Configuration("authlib", "Authlib", "app.py", text)


def _authlib_for_a_device(values: _Values) -> Configuration:
    text = f"""\
# pip install authlib requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

client = OAuth2Session(
    {_quoted(values.client_id)},
    redirect_uri={_quoted(values.redirect_uri)},
    scope={_quoted(values.scope)},
    code_challenge_method="S256",
    token_endpoint_auth_method="none",
)
verifier = generate_token(48)
address, state = client.create_authorization_url(
    {_quoted(values.issuer + metadata.AUTHORIZE)}, code_verifier=verifier
)
print("Open this in a browser:", address)
answer = input("The address that it came back to: ")
token = client.fetch_token(
    {_quoted(values.issuer + metadata.TOKEN)},
    authorization_response=answer,
    state=state,
    code_verifier=verifier,
)
print(token["access_token"])
"""
    return Configuration("authlib", "Authlib", "sign_in.py", text)


def _authlib_for_a_service(values: _Values) -> Configuration:
    text = f"""\
# pip install authlib requests
from authlib.integrations.requests_client import OAuth2Session

client = OAuth2Session(
    {_quoted(values.client_id)},
    {_quoted(values.secret)},
    scope={_quoted(values.scope)},
)
token = client.fetch_token(
    {_quoted(values.issuer + metadata.TOKEN)}, grant_type="client_credentials"
)
print(token["access_token"])
"""
    return Configuration("authlib", "Authlib", "service.py", text)


def _oidc_client_ts(values: _Values) -> Configuration:
    text = f"""\
// npm install oidc-client-ts
import {{ UserManager }} from "oidc-client-ts";

export const users = new UserManager({{
  authority: {_quoted(values.issuer)},
  client_id: {_quoted(values.client_id)},
  redirect_uri: {_quoted(values.redirect_uri)},
  scope: {_quoted(values.scope)},
}});

// On a click: users.signinRedirect(). At the redirect URI: await users.signinCallback().
"""
    return Configuration("oidc-client-ts", "oidc-client-ts", "users.ts", text)


def _spring_for_the_web(values: _Values) -> Configuration:
    more = [
        "authorization-grant-type: authorization_code",
        f"redirect-uri: {_quoted(values.redirect_uri)}",
    ]
    return _spring(
        values,
        more,
        "# This server wants PKCE. Spring Security 7 sends it by itself; before that, add\n"
        "# OAuth2AuthorizationRequestCustomizers.withPkce() to the request resolver.\n",
    )


def _spring_for_a_service(values: _Values) -> Configuration:
    return _spring(values, ["authorization-grant-type: client_credentials"], "")


def _spring(values: _Values, more: list[str], comment: str) -> Configuration:
    lines = [
        f"client-id: {_quoted(values.client_id)}",
        f"client-secret: {_quoted(values.secret)}",
        "client-authentication-method: client_secret_basic",
        *more,
        f"scope: {_quoted(','.join(values.scope.split()))}",
    ]
    registration = "\n".join(f"            {line}" for line in lines)
    text = f"""\
{comment}spring:
  security:
    oauth2:
      client:
        registration:
          doorward:
{registration}
        provider:
          doorward:
            issuer-uri: {_quoted(values.issuer)}
"""
    return Configuration("spring", "Spring", "application.yml", text)


def _curl_with_a_person(values: _Values) -> Configuration:
    query = {
        "response_type": "code",
        "client_id": values.client_id,
        "redirect_uri": values.redirect_uri,
        "scope": values.scope,
        "code_challenge_method": "S256",
    }
    address = f"{values.issuer}{metadata.AUTHORIZE}?{urlencode(query)}&code_challenge="
    text = f"""\
verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary |
  openssl base64 | tr '+/' '-_' | tr -d '=')

echo 'Open this in a browser, and copy the code from the address that it comes back to:'
echo {shlex.quote(address)}"$challenge"
printf 'code: '
read -r code

curl -sS {shlex.quote(values.issuer + metadata.TOKEN)} \\
  {_curl_credentials(values)} \\
  -d grant_type=authorization_code \\
  --data-urlencode "code=$code" \\
  --data-urlencode {shlex.quote(f"redirect_uri={values.redirect_uri}")} \\
  -d code_verifier="$verifier"
"""
    return Configuration("curl", "curl", "sign-in.sh", text)


def _curl_for_a_service(values: _Values) -> Configuration:
    text = f"""\
curl -sS {shlex.quote(values.issuer + metadata.TOKEN)} \\
  {_curl_credentials(values)} \\
  -d grant_type=client_credentials \\
  --data-urlencode {shlex.quote(f"scope={values.scope}")}
"""
    return Configuration("curl", "curl", "token.sh", text)


def _curl_credentials(values: _Values) -> str:
    if values.secret is None:
        return f"-d {shlex.quote(f'client_id={values.client_id}')}"
    return f"-u {shlex.quote(f'{values.client_id}:{values.secret}')}"


def _quoted(value: str | None) -> str:
    """Quote a text: what JSON writes is a string of Python, TypeScript and YAML too."""
    return json.dumps(value or "")


_SUITABLE: dict[str, tuple[Callable[[_Values], Configuration], ...]] = {
    WEB: (_authlib_for_flask, _spring_for_the_web, _curl_with_a_person),
    SINGLE_PAGE: (_oidc_client_ts, _curl_with_a_person),
    NATIVE: (_authlib_for_a_device, _curl_with_a_person),
    COMMAND_LINE: (_authlib_for_a_device, _curl_with_a_person),
    SERVICE: (_authlib_for_a_service, _spring_for_a_service, _curl_for_a_service),
}
