"""The kit that resource servers install: it checks access tokens and what they allow.

It imports nothing of the rest of idp, and needs nothing but the base requirements of setup.cfg;
`idp.guard.flask`, `idp.guard.wsgi` and `idp.guard.asgi` put the one core into an application.
"""

from idp.guard.access_token import AccessToken
from idp.guard.core import Guard
from idp.guard.errors import ConfigurationError
from idp.guard.http_client import Answer, Http, HttpClient
from idp.guard.needs import Needs, Question, Request
from idp.guard.outcome import Granted, Outcome, Refused
from idp.guard.routes import Route
from idp.guard.settings import Credentials, Published, Settings

__all__ = [
    "AccessToken",
    "Answer",
    "ConfigurationError",
    "Credentials",
    "Granted",
    "Guard",
    "Http",
    "HttpClient",
    "Needs",
    "Outcome",
    "Published",
    "Question",
    "Refused",
    "Request",
    "Route",
    "Settings",
]
