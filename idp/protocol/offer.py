"""What this server offers its clients, as its settings have it: one answer for discovery,
registration and requests.
"""

from dataclasses import dataclass

from idp.config import Settings

UNSIGNED = "none"


@dataclass(frozen=True)
class Offer:
    """`signing_algorithms` are those of ID tokens, the usual one first, `none` among them where the
    operator allows it.
    """

    signing_algorithms: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Offer":
        """Return what these settings offer."""
        return cls(settings.signing_algorithms)


USUAL = Offer(Settings.model_fields["signing_algorithms"].default)
"""What a server offers whose operator said nothing."""
