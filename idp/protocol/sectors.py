"""For whom pairwise subjects are the same: OpenID Connect Core section 8.1, Registration section 5.

The sector is settled when a client registers and kept with it, so that a document that can't be had
later, or says something else, changes nobody's subject. Redirect URIs that change are checked anew.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from idp.domain import uris
from idp.domain.clients import Client, claimable
from idp.domain.clock import Clock
from idp.domain.remote_documents import LARGEST, Fetched, Fetches, FetchFailed, RemoteDocuments
from idp.protocol.metadata_values import RegistrationError, refused

SUBJECT_TYPES = ("public", "pairwise")
FIELD = "sector_identifier_uri"


class Documents(Protocol):
    """What `RemoteDocuments` offers here."""

    def get(
        self, url: str, *, accept: tuple[str, ...], largest: int = LARGEST, at_most: float | None
    ) -> Fetched:
        """Return the document at `url`. Raises FetchFailed."""


def sectors(fetcher: Fetches, clock: Clock) -> "Sectors":
    """Return what settles sectors by documents as they are now: no old one stands in."""
    return Sectors(RemoteDocuments(fetcher, clock, stand_in=False))


class Sectors:
    """Settles the sector of clients. Threads may share it."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def settled(self, details: Mapping[str, Any], former: Client | None = None) -> dict[str, Any]:
        """Return validated metadata with its `sector`, None for public subjects. Raises
        RegistrationError.

        `former` is the client whose metadata it replaces: under another sector people would become
        strangers to it, so that is refused.
        """
        if FIELD in details:
            self._check_listed(details[FIELD], details["redirect_uris"])
        pairwise = details["subject_type"] == "pairwise"
        sector = _sector(details) if pairwise else None
        if former is not None and sector != former.sector:
            raise refused(
                "subject_type and the sector of pairwise subjects can't be changed: people would"
                " get other subjects. Register another client."
            )
        return {**details, "sector": sector}

    def _check_listed(self, address: str, redirect_uris: list[str]) -> None:
        """The document is an array of redirect URIs that holds each of the client's."""
        try:
            fetched = self._documents.get(address, accept=("application/json",), at_most=0)
            listed = json.loads(fetched.body)
        except FetchFailed as error:
            raise _unusable("could not be fetched", error.reason) from error
        except (ValueError, RecursionError) as error:
            raise _unusable("is not JSON") from error
        if not isinstance(listed, list):
            raise _unusable("is not a JSON array")
        if not all(uri in listed for uri in redirect_uris):
            raise _unusable("does not list every one of redirect_uris")


def _unusable(problem: str, reason: str = "") -> RegistrationError:
    description = f"The document at {FIELD} {problem}."
    detail = f"{description} ({reason})" if reason else ""
    return RegistrationError("invalid_client_metadata", description, detail)


def _sector(details: Mapping[str, Any]) -> str:
    """Return the host that the document is at, else the one host of all redirect URIs."""
    if FIELD in details:
        return _host(details[FIELD])
    redirect_uris = details["redirect_uris"]
    if any(map(claimable, redirect_uris)):
        # Every program of every device is at the loopback address: that is no sector.
        raise refused(
            f"Pairwise subjects need {FIELD} where a redirect URI is at a loopback address or of"
            " a private-use scheme."
        )
    hosts = set(map(_host, redirect_uris))
    if len(hosts) != 1:
        raise refused(
            f"Pairwise subjects need {FIELD} unless all redirect URIs are at one host"
            " (OpenID Connect Registration section 5)."
        )
    return hosts.pop()


def _host(address: str) -> str:
    uri = uris.parse(address)
    return (uri.host if uri and uri.host else "").lower()
