"""What a view works with: the application's parts, and where the request came from."""

from collections.abc import Mapping, Sequence

from flask import current_app, g, request
from werkzeug.datastructures import MultiDict

from idp.domain.audit import Origin
from idp.domain.services import Services
from idp.protocol.developer_registration import DeveloperRegistration
from idp.protocol.dynamic_registration import DynamicRegistration
from idp.protocol.request_object import RequestObjects
from idp.protocol.server import AuthorizationServer

SERVICES = "doorward"
SERVER = "doorward-oauth"
REGISTRATION = "doorward-registration"
DEVELOPER_REGISTRATION = "doorward-developer-registration"
REQUEST_OBJECTS = "doorward-request-objects"


def services() -> Services:
    """Return the parts of this application."""
    found: Services = current_app.extensions[SERVICES]
    return found


def oauth_server() -> AuthorizationServer:
    """Return the OAuth server of this application."""
    found: AuthorizationServer = current_app.extensions[SERVER]
    return found


def dynamic_registration() -> DynamicRegistration:
    """Return where clients of this application register themselves."""
    found: DynamicRegistration = current_app.extensions[REGISTRATION]
    return found


def developer_registration() -> DeveloperRegistration:
    """Return what checks the applications that people register."""
    found: DeveloperRegistration = current_app.extensions[DEVELOPER_REGISTRATION]
    return found


def request_objects() -> RequestObjects:
    """Return what resolves request objects in this application."""
    found: RequestObjects = current_app.extensions[REQUEST_OBJECTS]
    return found


def origin() -> Origin:
    """Return where the request came from, for the audit log."""
    agent = request.headers.get("User-Agent", "").replace("\0", "")
    return Origin(request.remote_addr or "", g.request_id, agent)


def all_values(*sources: MultiDict[str, str]) -> Mapping[str, Sequence[str]]:
    """Return every parameter of the sources with all its values."""
    found: dict[str, list[str]] = {}
    for source in sources:
        for name, values in source.lists():
            found.setdefault(name, []).extend(values)
    return found
