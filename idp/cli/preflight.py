"""What can be wrong with a machine before the server starts, each told in one sentence."""

import difflib
import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idp.config import PREFIX, Settings
from idp.crypto.keyfiles import KeyUnusable
from idp.domain.installation import given_keys

_BACKLOG = 1024
_LOOPBACK = ("127.0.0.1", "::1")
_NETWORK_FILESYSTEMS = {"afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2"}
_NETWORK_FILESYSTEMS |= {"glusterfs", "lustre", "nfs", "nfs4", "ocfs2", "smb3"}
_ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class PortUnusable(Exception):
    """Nobody can listen there. The message is one sentence for the operator."""


def folder_problems(settings: Settings) -> list[str]:
    """Return what keeps this process from writing the embedded database."""
    if not settings.embedded:
        return []
    folder = Path(settings.sqlalchemy_url.partition("///")[2]).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return [f"IDP_DATA_DIR: {folder} cannot be made ({error.strerror})."]
    for path in (folder, *folder.glob("*.sqlite3*")):
        if not os.access(path, os.W_OK):
            return [f"IDP_DATA_DIR: {path} cannot be written by {_user()}."]
    return []


def _user() -> str:
    return f"user {os.geteuid()}, who runs this"


def key_problems(settings: Settings) -> list[str]:
    """Return what is wrong with the given key-encryption keys: weak, or readable by others."""
    try:
        given_keys(settings)
    except KeyUnusable as error:
        return [str(error)]
    return []


def sharing_problems(settings: Settings, mounts: str) -> list[str]:
    """Return why SQLite may not be used in the data folder; `mounts` is the text of /proc/mounts.

    A network file system means several nodes: their locks do not reach one another.
    """
    if not settings.embedded:
        return []
    folder = settings.data_dir.absolute()
    kinds = {
        Path(part[1].encode().decode("unicode_escape")): part[2]
        for part in map(str.split, mounts.splitlines())
    }
    kind = next((kinds[path] for path in (folder, *folder.parents) if path in kinds), "")
    if kind not in _NETWORK_FILESYSTEMS:
        return []
    return [
        f"IDP_DATA_DIR: {folder} is on a network file system ({kind}), where SQLite loses data; "
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


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen at every address that `host` stands for. Raises PortUnusable."""
    sockets: list[socket.socket] = []
    refusal = f"This machine has no address {host}."
    for family, address in _addresses(host, port):
        try:
            sockets.append(_bind(family, address))
        except OSError as error:
            if error.errno not in _ABSENT:
                refusal, sockets = _refusal(error, host, port), _close(sockets)
                break
    if not sockets:
        raise PortUnusable(refusal)
    return sockets


def _addresses(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    """What `host` stands for; localhost is both loopback addresses, whatever /etc/hosts says."""
    names = _LOOPBACK if host == "localhost" else (host,)
    found: set[tuple[int, tuple[Any, ...]]] = set()
    for name in names:
        try:
            entries = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise PortUnusable(f"The host {host} is not known ({error.strerror}).") from error
        found |= {(entry[0], entry[4]) for entry in entries}
    return sorted(found)


def _bind(family: int, address: tuple[Any, ...]) -> socket.socket:
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address, family=family, backlog=_BACKLOG, dualstack_ipv6=both)


def _close(sockets: list[socket.socket]) -> list[socket.socket]:
    for each in sockets:
        each.close()
    return []


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken: stop what listens there, or choose another port."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} may not be used by {_user()}; ports from 1024 on may."
    return f"Port {port} of {host} cannot be used ({error.strerror})."
