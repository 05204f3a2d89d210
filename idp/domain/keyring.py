"""All key pairs of this server: what is published of them, and what operators do with them."""

from collections.abc import Sequence

from idp.config import Settings
from idp.domain.audit import Origin
from idp.domain.decryption_keys import DecryptionKeys
from idp.domain.errors import NotFound
from idp.domain.key_schedule import KeyInfo, Step
from idp.domain.signing_keys import PublishedKeys, SigningKeys

Keys = SigningKeys | DecryptionKeys


class Keyring:
    """Keys that sign and keys that decrypt, as one. Threads may share it."""

    def __init__(
        self, signing: SigningKeys, decryption: DecryptionKeys, settings: Settings
    ) -> None:
        self._signing = signing
        self._decryption = decryption
        self._both: tuple[Keys, ...] = (signing, decryption)
        self._max_age = settings.jwks_max_age
        self._last: tuple[PublishedKeys, Sequence[object], PublishedKeys] | None = None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Those that keys are kept for."""
        return tuple(name for keys in self._both for name in keys.algorithms)

    def jwks(self) -> PublishedKeys:
        """Return the published set, from memory when the database can't be reached."""
        signing, decryption = self._signing.jwks(), self._decryption.published()
        last = self._last
        if last is None or last[0] is not signing or last[1] is not decryption:
            whole = PublishedKeys.of([*signing.keys, *decryption], self._max_age)
            self._last = last = signing, decryption, whole
        return last[2]

    def list(self) -> list[KeyInfo]:
        """Return every key that is remembered, with its dates; those that sign first."""
        return [info for keys in self._both for info in keys.list()]

    def takes_over_at(self, infos: Sequence[KeyInfo], algorithm: str) -> int | None:
        """Return when the next key of an algorithm will follow; None when there is none."""
        return self._signing.schedule.takes_over_at(infos, algorithm)

    def rotate(
        self,
        algorithm: str | None = None,
        *,
        emergency: bool = False,
        dry_run: bool = False,
        origin: Origin,
        actor: str,
    ) -> Sequence[Step]:
        """Let the next key of one or all algorithms follow, and return what was (or would be) done.

        In an emergency the active key is withdrawn at once. Raises NotFound, and TooEarly unless it
        is an emergency: then nothing is done.
        """
        chosen = [keys for keys in self._both if algorithm is None or algorithm in keys.algorithms]
        if not chosen:
            raise NotFound(f"No keys are kept for {algorithm}.")
        steps: list[Step] = []
        for trying in dict.fromkeys((True, dry_run)):
            steps = []
            for keys in chosen:
                steps += keys.rotate(
                    algorithm, emergency=emergency, dry_run=trying, origin=origin, actor=actor
                )
        return steps

    def retire(
        self,
        kid: str,
        *,
        emergency: bool = False,
        dry_run: bool = False,
        origin: Origin,
        actor: str,
    ) -> Sequence[Step]:
        """Take one key out of use; where it is the active one, the next one takes over.

        Raises NotFound, Invalid, TooEarly.
        """
        decrypts = any(key.kid == kid for key in self._decryption.list())
        keys: Keys = self._decryption if decrypts else self._signing
        return keys.retire(kid, emergency=emergency, dry_run=dry_run, origin=origin, actor=actor)
