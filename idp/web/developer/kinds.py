"""How the kinds of applications are called, and what makes each the right one."""

from idp.domain.texts import Text, marked
from idp.protocol.application_kinds import COMMAND_LINE, NATIVE, SERVICE, SINGLE_PAGE, WEB

WORDS: dict[str, tuple[Text, Text]] = {
    WEB: (
        marked("Web application"),
        marked("Runs on a server of yours, which keeps a secret: Django, Rails, Spring …"),
    ),
    SINGLE_PAGE: (
        marked("Single-page application"),
        marked("Runs in the browser alone, without a server that could keep a secret."),
    ),
    NATIVE: (
        marked("App on a phone or computer"),
        marked("Installed by its users. It comes back by an address that belongs to it."),
    ),
    COMMAND_LINE: (
        marked("Command line"),
        marked("Opens a browser and listens on the same machine for the answer."),
    ),
    SERVICE: (
        marked("Service"),
        marked("Acts for itself, with nobody there to sign in: jobs and other servers."),
    ),
}
