"""What is in what has an end: no group is in itself, no role includes itself."""

from collections.abc import Iterable


def closes_a_circle(pairs: Iterable[tuple[str, str]], begin: str, end: str) -> bool:
    """Whether a step from `begin` to `end` would lead back, given the steps that there are."""
    steps: dict[str, list[str]] = {}
    for first, second in pairs:
        steps.setdefault(first, []).append(second)
    seen, waiting = set(), [end]
    while waiting:
        here = waiting.pop()
        if here == begin:
            return True
        if here not in seen:
            seen.add(here)
            waiting += steps.get(here, [])
    return False
