"""What is said of keys: of those that sign, and of those that others encrypt to."""

from dataclasses import dataclass

from idp.domain.key_schedule import KeyInfo, Use
from idp.domain.texts import Text, marked
from idp.web.i18n import format_datetime

ORDER = ("active", "next", "retiring", "archived", "withdrawn")
_WAITING = ("accent", marked("Waiting"))
_GONE = {"archived": ("", marked("Not published")), "withdrawn": ("bad", marked("Withdrawn"))}
_STATES: dict[Use, dict[str, tuple[str, Text]]] = {
    "sig": {
        "active": ("good", marked("Signs")),
        "next": _WAITING,
        "retiring": ("warn", marked("Verifies")),
        **_GONE,
    },
    "enc": {
        "active": ("good", marked("Published")),
        "next": _WAITING,
        "retiring": ("warn", marked("Still opens")),
        **_GONE,
    },
}


@dataclass(frozen=True)
class Asked:
    """The words of the page that asks before the next key of an algorithm takes over."""

    title: Text
    warnings: list[Text]
    emergency: Text
    done: str


def state(key: KeyInfo) -> tuple[str, Text]:
    """Return the tone and the name of a key's state."""
    return _STATES[key.use][key.state]


def now(key: KeyInfo) -> Text:
    """Return what a key has done since when."""
    match key.use, key.state:
        case _, "withdrawn":
            return marked("Not trusted since %(when)s", when=when(key.archived_at))
        case "sig", "next":
            return marked("Published since %(when)s", when=when(key.created_at))
        case "sig", "active":
            return marked("Signs since %(when)s", when=when(key.activated_at))
        case "sig", "retiring":
            return marked("Signed until %(when)s", when=when(key.retired_at))
        case "enc", "next":
            return marked("Kept ready since %(when)s", when=when(key.created_at))
        case "enc", "active":
            return marked("Published since %(when)s", when=when(key.activated_at))
        case "enc", "retiring":
            return marked("Published until %(when)s", when=when(key.retired_at))
    return marked("Not published since %(when)s", when=when(key.archived_at))


def then(key: KeyInfo, takes_over_at: int | None) -> Text:
    """Return what a key will do next, and when."""
    match key.use, key.state:
        case _, "active":
            return marked("The next key takes over on %(when)s", when=when(takes_over_at))
        case "sig", "next":
            return marked(
                "May sign from %(from)s, takes over on %(then)s",
                **{"from": when(key.usable_from), "then": when(takes_over_at)},
            )
        case "sig", "retiring":
            return marked(
                "Leaves the published keys on %(when)s, when its last token has ended",
                when=when(key.keep_until),
            )
        case "sig", "withdrawn":
            return marked("What it signed is refused")
        case "enc", "next":
            return marked("Is published on %(when)s, when it takes over", when=when(takes_over_at))
        case "enc", "retiring":
            return marked("Opens what is encrypted to it until %(when)s", when=when(key.keep_until))
        case "enc", _:
            return marked("Opens nothing any more")
    return marked("Kept for expired ID tokens that come back at a sign-out")


def asked(use: Use, algorithm: str) -> Asked:
    """Return how is asked before the next key takes over."""
    if use == "enc":
        return Asked(
            title=marked("Publish the next %(algorithm)s key?", algorithm=algorithm),
            warnings=[
                marked("What is encrypted to the present key is opened for a while yet."),
                marked("Another key is made at once, to follow it."),
            ],
            emergency=marked(
                "Emergency: the key is in the wrong hands. Nothing that is encrypted to it is "
                "opened from now on."
            ),
            done="published",
        )
    return Asked(
        title=marked("Let the next %(algorithm)s key sign?", algorithm=algorithm),
        warnings=[
            marked("The key that signs now stays published until its last token has ended."),
            marked("Another key is published at once, to follow it."),
        ],
        emergency=marked(
            "Emergency: the key is in the wrong hands. Trust it no more, from now on; what it "
            "signed is refused, and people may have to sign in again."
        ),
        done="rotated",
    )


def too_early(use: Use, at: int) -> Text:
    """Return why the next key has to wait."""
    if use == "enc":
        return marked(
            "Some servers may not know the next key yet. It may be published from %(when)s.",
            when=when(at),
        )
    return marked(
        "Some verifiers may not know the next key yet. It may sign from %(when)s.", when=when(at)
    )


def when(seconds: int | None) -> str:
    """Return a time as it is read, a dash for none."""
    return format_datetime(seconds) if seconds is not None else "–"
