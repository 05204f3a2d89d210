"""Where settings come from: the environment, or files that it names; and what an origin may be."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

PREFIX = "IDP_"
_CONTAINER_SECRETS = Path("/run/secrets")
ENVIRONMENT, DEFAULT, PROGRAM = "environment", "default", "program"
_UNITS = re.compile(r"\b(seconds|bytes|characters)\b", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class ConfigurationError(Exception):
    """Some settings can't be used. `problems` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class FileSource(PydanticBaseSettingsSource):
    """Reads `IDP_NAME_FILE` for each setting, so that secrets stay out of the environment."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        name = f"{PREFIX}{field_name.upper()}_FILE"
        if field.annotation is SecretStr and _everybody_reads(Path(path)):
            self.problems.append(
                f"{name}: everybody on this machine may read {path}; chmod 600 it."
            )
            return None, field_name, False
        try:
            return Path(path).read_text("utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{name}: cannot read {path} ({error}).")
            return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {}
        self.problems: list[str] = []
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                values[key] = value
        if self.problems:
            raise ConfigurationError(self.problems)
        return values


def _everybody_reads(path: Path) -> bool:
    """Whether a secret's file is open to all; in a container's own memory it may be."""
    if _CONTAINER_SECRETS in path.parents:
        return False
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


@dataclass(frozen=True)
class Shown:
    """A setting as it may be shown. A secret's value is never in it: `value` is None, and `given`
    says whether there is one.

    `unit` is `seconds`, `bytes`, `characters` or empty. `source` is ENVIRONMENT, DEFAULT, PROGRAM
    (`idp dev` decides) or the path of the file.
    """

    variable: str
    value: str | None
    given: bool
    default: str
    unit: str
    source: str
    meaning: str


def shown(settings: BaseSettings) -> list[Shown]:
    """Return every setting, in the order of its class."""
    return [_shown(settings, *each) for each in type(settings).model_fields.items()]


def _shown(settings: BaseSettings, name: str, field: FieldInfo) -> Shown:
    value = getattr(settings, name)
    if secret := isinstance(value, SecretStr):
        value = value.get_secret_value()
    meaning = str(field.description)
    unit = _UNITS.search(meaning) if type(value) is int else None
    source = _source(name)
    if source == DEFAULT and not secret and value != field.default:
        source = PROGRAM
    return Shown(
        variable=f"{PREFIX}{name.upper()}",
        value=None if secret else without_password(text_of(value)),
        given=bool(value),
        default="" if secret else text_of(field.default),
        unit=unit[0].lower() if unit else "",
        source=source,
        meaning=meaning,
    )


def _source(name: str) -> str:
    variable = PREFIX + name.upper()
    if variable in os.environ:
        return ENVIRONMENT
    return os.environ.get(f"{variable}_FILE") or DEFAULT


def text_of(value: Any) -> str:
    """Return a setting's value as it is written in the environment."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def without_password(url: str) -> str:
    """Return an address without the password that it may carry; anything else as it is."""
    head, at, tail = url.rpartition("@")
    scheme, mark, user = head.partition("://")
    return f"{scheme}://{user.partition(':')[0]}:…@{tail}" if at and mark else url


def port_problem(origin: SplitResult) -> str | None:
    """Say why browsers would not send an origin's port so; None when they would."""
    try:
        port = origin.port
    except ValueError:
        return "must name a port from 1 to 65535"
    if port == _DEFAULT_PORTS[origin.scheme]:
        return f"must leave out :{port}, the default, as browsers do"
    written = "" if port is None else f":{port}"
    host = origin.netloc.removesuffix(written)
    if port == 0 or ":" in host.rpartition("]")[2]:
        return "must name a port from 1 to 65535, or none"
    return None


def listed(value: str) -> tuple[str, ...]:
    """Return the parts of a value that are separated by commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def bare_origin(value: str) -> str:
    """Return an origin as the settings take it. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must look like https://id.example.com")
    if value != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
        raise ValueError("must be a bare origin, without path, trailing slash or user")
    if value != value.lower():
        raise ValueError("must be written in lower case")
    if problem := port_problem(parts):
        raise ValueError(problem)
    return value
