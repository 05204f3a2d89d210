"""What the tests of policies ask, said shortly."""

from dataclasses import dataclass, replace
from pathlib import Path

from idp.domain.access import Access, Circumstances, Decision, Principal, Resource
from tests.support.held_clock import START, HeldClock

ACCOUNT = Resource("console", "account")
ADMIN = Resource("console", "admin")
NOTES = Resource("application", "notes")
ONE_FACTOR = Circumstances(
    assurance=1,
    phishing_resistant=False,
    age=0,
    trusted_device=False,
    address="192.0.2.7",
    now=int(START),
)
TWO_FACTORS = replace(ONE_FACTOR, assurance=2)
PASSKEY = replace(ONE_FACTOR, assurance=3, phishing_resistant=True)


def person(*roles: str, groups: str = "", second_factor: bool = False) -> Principal:
    """Somebody with these roles and groups (separated by spaces)."""
    return Principal("mia", frozenset(roles), frozenset(groups.split()), second_factor)


@dataclass
class Folder:
    """An operator's folder of policies, and the server that reads it every 5 seconds."""

    path: Path
    clock: HeldClock

    def write(self, name: str, text: str) -> None:
        """Put a file into place at once, as an operator should."""
        draft = self.path / f".{name}.draft"
        draft.write_text(text, "utf-8")
        draft.rename(self.path / name)

    def access(self) -> Access:
        """Start with what the folder holds."""
        return Access(str(self.path), self.clock, 5)


def sign_in(
    access: Access, who: Principal, where: Resource, how: Circumstances = ONE_FACTOR
) -> Decision:
    """Ask for the action that most policies are about."""
    return access.decide(who, "sign_in", where, how)
