"""OpenID Connect Core 1.0 section 4: a sign-in that is started here, and not by the client."""

from urllib.parse import urlencode

from idp.domain.clients import Client
from idp.protocol.front_channel_logout import origin


def address(client: Client, issuer: str, login_hint: str | None) -> str | None:
    """Return where the browser goes, with `iss`; None for a client without `initiate_login_uri`.

    `target_link_uri` is the client's own page, if it is of the same origin: clients have to refuse
    others, so as not to be led astray.
    """
    uri: str | None = client.details.get("initiate_login_uri")
    if uri is None or client.disabled:
        return None
    values = {"iss": issuer}
    if login_hint:
        values["login_hint"] = login_hint
    if client.client_uri and origin(client.client_uri) == origin(uri):
        values["target_link_uri"] = client.client_uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(values)}"
