"""What a `User-Agent` header tells of browser and system.

What a browser calls itself is anybody's text, so only names on our own list are repeated.
"""

from ua_parser import parse

from idp.domain.texts import Text, marked

_LONGEST_AGENT = 300
_BROWSERS = {
    "Chrome": "Chrome",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Edge": "Edge",
    "Edge Mobile": "Edge",
    "Firefox": "Firefox",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Mobile Safari": "Safari",
    "Opera": "Opera",
    "Opera Mobile": "Opera",
    "Safari": "Safari",
    "Samsung Internet": "Samsung Internet",
}
_SYSTEMS = {
    "Android": "Android",
    "Chrome OS": "ChromeOS",
    "Linux": "Linux",
    "Mac OS X": "macOS",
    "Ubuntu": "Ubuntu",
    "Windows": "Windows",
    "iOS": "iOS",
}


def describe(user_agent: str) -> Text:
    """Return what a `User-Agent` header tells of browser and system, in words of ours only."""
    seen = parse(user_agent[:_LONGEST_AGENT])
    browser = _BROWSERS.get(seen.user_agent.family if seen.user_agent else "")
    system = _SYSTEMS.get(seen.os.family if seen.os else "")
    if browser and system:
        return marked("%(browser)s on %(system)s", browser=browser, system=system)
    known = browser or system
    return marked("%(what)s", what=known) if known else marked("an unknown browser")
