"""Names become addresses: once for each fetch, and never for longer than the fetch may take."""

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Sequence

Resolve = Callable[[str, int, float], Sequence[str]]
"""Host, port and seconds → addresses in digits. Raises OSError."""
MOST_AT_ONCE = 16
_SLOTS = threading.BoundedSemaphore(MOST_AT_ONCE)


def look_up(host: str, port: int, seconds: float) -> Sequence[str]:
    """Return the addresses of `host`. Raises OSError, TimeoutError too.

    The system's resolver takes no deadline: it gets a thread that may be left behind.
    """
    if literal := _literal(host):
        return [literal]
    if not _SLOTS.acquire(blocking=False):
        raise OSError("too many names are being looked up")
    answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_ask, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty as error:
        raise TimeoutError("the name server took too long") from error
    if isinstance(answer, OSError):
        raise answer
    return answer


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _ask(host: str, port: int, answers: "queue.SimpleQueue[Sequence[str] | OSError]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
    except (OSError, UnicodeError) as error:
        answers.put(error if isinstance(error, OSError) else OSError("no name of a host"))
    finally:
        _SLOTS.release()
