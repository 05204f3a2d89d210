"""What this server offers its clients, as its settings have it: one answer for discovery,
registration and requests.
"""

from dataclasses import dataclass

from idp.config import Settings
from idp.protocol import response_types
from idp.protocol.enabled import GRANT_TYPES


@dataclass(frozen=True)
class Offer:
    """`signing_algorithms` are those of ID tokens, the usual one first, `none` among them where the
    operator allows it; `front_channel`: tokens come from the authorization endpoint too.
    """

    signing_algorithms: tuple[str, ...]
    front_channel: bool = False

    @property
    def response_types(self) -> tuple[str, ...]:
        """The response types, as discovery spells them."""
        return response_types.TYPES if self.front_channel else (response_types.CODE,)

    @property
    def grant_types(self) -> tuple[str, ...]:
        """The grant types: those of the token endpoint, and `implicit`, which is not there."""
        return (*GRANT_TYPES, response_types.IMPLICIT) if self.front_channel else GRANT_TYPES

    @classmethod
    def of(cls, settings: Settings) -> "Offer":
        """Return what these settings offer."""
        return cls(settings.signing_algorithms, settings.front_channel_tokens)


USUAL = Offer(Settings.model_fields["signing_algorithms"].default)
"""What a server offers whose operator said nothing."""
