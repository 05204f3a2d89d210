"""Time in the hand of the test: it stands still until it is told to go on."""

START = 1_800_000_000.0
"""15 January 2027, 08:00 UTC: not the machine's time, so whoever asks that one is found out."""


class HeldClock:
    """An `idp.domain.clock.Clock` that moves when told."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += seconds
