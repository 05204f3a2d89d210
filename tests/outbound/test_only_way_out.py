"""Case 81: there is one way out, and every address of a client's metadata is known to take it."""

import ast
from pathlib import Path

from idp.protocol.registration import HONOURED

IDP = Path(__file__).parents[2] / "idp"
OPENS = frozenset({"aiohttp", "ftplib", "httpx", "pycurl", "requests", "smtplib", "urllib3"})
OPENS_BY_NAME = frozenset({"http.client", "urllib.request", "socket", "ssl", "asyncio"})
LISTENS = frozenset(
    {"cli/listening.py", "cli/serve.py", "cli/server.py", "cli/tls.py", "cli/worker.py"}
)
ASKS_ITSELF = frozenset({"cli/health.py"})
ASKS_ITS_OWN_NAME = frozenset({"domain/housekeeping.py", "domain/leasing.py"})
FETCHES = frozenset({"outbound/fetching.py", "outbound/hasty_socket.py", "outbound/looking_up.py"})
# The kit runs in other programs, and asks what their settings name.
THE_KIT = frozenset({"guard/asgi.py", "guard/deadline_socket.py", "guard/http_client.py"})
MAILS = frozenset({"outbound/smtp.py"})
COLLECTS = frozenset({"outbound/syslog.py"})


def modules_of(path: Path) -> set[str]:
    """Return what a file imports, `from a import b` as a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_case_081_connections_are_opened_in_one_place() -> None:
    """Whoever imports what can open one: the fetcher, mail, and who listens."""
    found = set()
    for path in IDP.rglob("*.py"):
        modules = modules_of(path)
        if modules & OPENS_BY_NAME or {name.partition(".")[0] for name in modules} & OPENS:
            found.add(str(path.relative_to(IDP)))
    inward = LISTENS | ASKS_ITSELF | ASKS_ITS_OWN_NAME
    assert found == FETCHES | MAILS | COLLECTS | THE_KIT | inward
    for name in ASKS_ITS_OWN_NAME:
        text = (IDP / name).read_text()
        assert text.count("socket.") == text.count("socket.gethostname")


# Every metadata field that holds addresses, by what is done with them.
BROWSERS = frozenset(
    {
        "frontchannel_logout_uri",
        "initiate_login_uri",
        "post_logout_redirect_uris",
        "redirect_uris",
    }
)
LINKS = frozenset({"client_uri", "policy_uri", "tos_uri"})
FETCHED = frozenset(
    {"backchannel_logout_uri", "jwks_uri", "logo_uri", "request_uris", "sector_identifier_uri"}
)


def test_case_081_every_address_of_the_metadata_is_known() -> None:
    """A new one has to be put where it belongs: what is fetched has only one way to be."""
    addresses = {name for name in HONOURED if name.endswith(("_uri", "_uris", "_url"))}
    assert addresses <= BROWSERS | LINKS | FETCHED
