"""Both consoles speak the reader's language on every page: nothing of ours is left in English."""

import re
from urllib.parse import urlsplit

from idp.domain.services import Services
from tests.admin.conftest import Staff

QUOTED = re.compile(
    r'<(code|bdi|option)\b.*?</\1>|<(\w+)[^>]* lang="en".*?</\2>|<details class="menu.*?</details>',
    re.DOTALL,
)
"""What somebody wrote or chose, and what is marked as English."""
TAG = re.compile(r"<[^>]*>")
ENGLISH = re.compile(r"[A-Za-z’]+(?: [A-Za-z’]+)+")


def english(html: str, names: list[str]) -> set[str]:
    """Words in Latin letters that stand side by side and are no names."""
    said = QUOTED.sub("|", html.partition("<body")[2])
    for name in names:
        said = said.replace(name, "|")
    return set(ENGLISH.findall(TAG.sub("|", said)))


def test_the_consoles_speak_arabic(admin: Staff, services: Services) -> None:
    names = [client.name for client in services.clients.list()]
    assert english(admin.get("/account").response.text, names)
    admin.browser.http.headers["Accept-Language"] = "ar"
    waiting, left = {"/account", "/admin/people"}, dict[str, set[str]]()
    while waiting:
        path = waiting.pop()
        page = admin.get(path)
        left[path] = english(page.response.text, names)
        linked = {urlsplit(link).path for link in page.document.links.values()}
        waiting |= {path for path in linked if path.startswith(("/account", "/admin"))}
        waiting -= left.keys()
    assert {path: said for path, said in left.items() if said} == {}
    assert len(left) > 30
