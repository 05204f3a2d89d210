"""What forbids serving anybody: of the settings, the environment and the machine; each in one
sentence (SECURITY case 157).
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idp.config import LOOPBACK_HOSTS, PREFIX, ConfigurationError, Settings, load
from idp.crypto.keyfiles import KeyUnusable
from idp.domain.audit_log.targets import targets
from idp.domain.credentials import breaches
from idp.domain.delivery import mail_server, sender
from idp.domain.installation import given_keys
from idp.outbound.fetching import Fetcher
from idp.outbound.smtp import address_problem

_MOUNTS = Path("/proc/mounts")
_NETWORK_FILESYSTEMS = {"afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2"}
_NETWORK_FILESYSTEMS |= {"glusterfs", "lustre", "nfs", "nfs4", "ocfs2", "smb3"}


def production_settings() -> Settings:
    """Return the settings with which anybody may be served. Raises ConfigurationError."""
    settings, problems = examined()
    if problems:
        raise ConfigurationError(problems)
    return settings


def examined() -> tuple[Settings, list[str]]:
    """Return the settings and everything that is wrong with them.

    Those that cannot be read are taken at their default meanwhile, so that the rest is checked too.
    """
    problems: list[str] = []
    try:
        settings = load()
    except ConfigurationError as error:
        problems = list(error.problems)
        settings = load(_defaults(problems))
    told = tuple(problem.partition(":")[0] for problem in problems)
    mounts = _MOUNTS.read_text() if _MOUNTS.exists() else ""
    more = [
        *_settings_problems(settings),
        *_stream_problems(settings),
        *environment_problems(os.environ),
        *folder_problems(settings),
        *sharing_problems(settings, mounts),
        *key_problems(settings),
        *mail_problems(settings),
        *breach_problems(settings),
    ]
    return settings, problems + [
        problem for problem in more if not problem.startswith(told or "\0")
    ]


def _defaults(problems: list[str]) -> dict[str, Any]:
    names = {problem.partition(":")[0].removeprefix(PREFIX).lower() for problem in problems}
    fields = Settings.model_fields
    return {name: fields[name].default for name in sorted(names & fields.keys())}


def folder_problems(settings: Settings) -> list[str]:
    """Return what keeps this process from writing the embedded database."""
    if not settings.embedded:
        return []
    folder, named = _place(settings)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return [f"{named}: {folder} cannot be made ({error.strerror})."]
    for path in (folder, *folder.glob(f"{settings.database_file.name}*")):
        if not os.access(path, os.W_OK):
            return [f"{named}: {path} cannot be written by {_user()}."]
    return []


def _place(settings: Settings) -> tuple[Path, str]:
    """Return the folder of the embedded database, and the setting that says so."""
    named = "IDP_DATABASE_URL" if settings.database_url else "IDP_DATA_DIR"
    return settings.database_file.parent, named


def _user() -> str:
    return f"user {os.geteuid()}, who runs this"


def key_problems(settings: Settings) -> list[str]:
    """Return what is wrong with the given key-encryption keys: weak, or readable by others."""
    try:
        given_keys(settings)
    except KeyUnusable as error:
        return [str(error)]
    return []


def mail_problems(settings: Settings) -> list[str]:
    """Return what is wrong with the mail server's address and the sender's."""
    problems = []
    try:
        mail_server(settings)
    except ConfigurationError as error:
        problems += error.problems
    if problem := address_problem(sender(settings)):
        problems.append(f"IDP_MAIL_FROM: {problem}.")
    return problems


def breach_problems(settings: Settings) -> list[str]:
    """Return why new passwords could not be looked up in the operator's range files."""
    folder = settings.breached_passwords_dir
    said = breaches.folder_problem(Path(folder)) if folder else None
    return [f"IDP_BREACHED_PASSWORDS_DIR: {folder} {said}."] if said else []


def sharing_problems(settings: Settings, mounts: str) -> list[str]:
    """Return why SQLite may not be used where it is; `mounts` is the text of /proc/mounts.

    A network file system means several nodes: their locks do not reach one another.
    """
    if not settings.embedded:
        return []
    folder, named = _place(settings)
    kinds = {
        Path(part[1].encode().decode("unicode_escape")): part[2]
        for part in map(str.split, mounts.splitlines())
    }
    kind = next((kinds[path] for path in (folder, *folder.parents) if path in kinds), "")
    if kind not in _NETWORK_FILESYSTEMS:
        return []
    return [
        f"{named}: {folder} is on a network file system ({kind}), where SQLite loses data; "
        "several nodes need PostgreSQL (IDP_DATABASE_URL)."
    ]


def environment_problems(environment: Mapping[str, str]) -> list[str]:
    """Return what the environment says that cannot be meant: debugging, and settings misspelt."""
    problems = []
    if environment.get("FLASK_DEBUG", "0").lower() not in {"", "0", "false", "no"}:
        problems.append("FLASK_DEBUG: debugging shows secrets to visitors; unset it.")
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    known += [f"{name}_FILE" for name in known]
    for name in sorted(set(environment) - set(known)):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if name.startswith(PREFIX) and near:
            problems.append(f"{name}: there is no such setting; {near[0]} is meant, perhaps.")
    return problems


def _settings_problems(settings: Settings) -> list[str]:
    """Return what forbids serving these settings to anyone (SECURITY case 157)."""
    problems = []
    host = urlsplit(settings.issuer).hostname
    if not settings.issuer:
        problems.append("IDP_ISSUER: not set. Give the https origin of this server.")
    elif not settings.secure and host not in LOOPBACK_HOSTS:
        problems.append("IDP_ISSUER: must be https; plain http is for loopback only.")
    if settings.development:
        problems.append("IDP_DEVELOPMENT: development mode is for `idp dev`; unset it.")
    if not settings.sqlalchemy_url.startswith(("sqlite:///", "postgresql")):
        problems.append("IDP_DATABASE_URL: only SQLite and PostgreSQL are supported.")
    return problems


def _stream_problems(settings: Settings) -> list[str]:
    try:
        targets(settings, Fetcher(settings))
    except ConfigurationError as error:
        return error.problems
    return []
