"""Documents that are kept: for how long, how many, and who waits for whom."""

import threading

import pytest

from idp.domain import remote_documents
from idp.domain.remote_documents import Fetched, FetchFailed, RemoteDocuments
from tests.support.held_clock import HeldClock

URL = "https://app.example.test/jwks.json"
JSON = ("application/json",)
SAME = "slow.example.test./3"
"""With the dot of the root: the same server."""


class Server:
    """Answers like `Fetcher`, with a number that counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False
        self.max_age: int | None = None
        self.size = 0

    def get(self, url: str, *, accept: tuple[str, ...], largest: int = 0) -> Fetched:
        self.asked.append(url)
        if self.fails:
            raise FetchFailed("status 500")
        body = str(len(self.asked)).encode().ljust(self.size)
        return Fetched(body, accept[0], self.max_age)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def documents(server: Server, clock: HeldClock) -> RemoteDocuments:
    return RemoteDocuments(server, clock)


def body(documents: RemoteDocuments, url: str = URL, at_most: float | None = None) -> bytes:
    return documents.get(url, accept=JSON, at_most=at_most).body


@pytest.mark.parametrize(
    ("said", "kept"), [(None, 300), (0, 60), (600, 600), (10**8, 3600)], ids=str
)
def test_a_document_is_kept_as_its_server_says_within_bounds(
    server: Server, documents: RemoteDocuments, clock: HeldClock, said: int | None, kept: int
) -> None:
    server.max_age = said
    assert body(documents) == b"1"
    clock.advance(kept - 1)
    assert body(documents) == b"1"
    clock.advance(1)
    assert body(documents) == b"2"
    clock.advance(-1000)
    assert body(documents) == b"3", "a clock that was set back makes nothing live on"


def test_a_younger_one_can_be_asked_for(
    server: Server, documents: RemoteDocuments, clock: HeldClock
) -> None:
    assert body(documents) == b"1"
    clock.advance(10)
    assert body(documents, at_most=11) == b"1"
    assert body(documents, at_most=10) == b"2"
    assert body(documents, at_most=10) == b"2"


def test_what_failed_is_not_asked_for_again_at_once(
    server: Server, documents: RemoteDocuments, clock: HeldClock
) -> None:
    server.fails = True
    for _ in range(3):
        with pytest.raises(FetchFailed) as failed:
            body(documents)
        assert failed.value.reason == "status 500"
    assert len(server.asked) == 1
    clock.advance(remote_documents.FAILURE_LIFETIME)
    server.fails = False
    assert body(documents) == b"2"


def test_the_one_before_stands_in_for_an_hour(
    server: Server, documents: RemoteDocuments, clock: HeldClock
) -> None:
    assert body(documents) == b"1"
    server.fails = True
    clock.advance(300)
    assert body(documents) == b"1"
    assert body(documents) == b"1"
    assert len(server.asked) == 2
    clock.advance(remote_documents.STANDS_IN)
    with pytest.raises(FetchFailed):
        body(documents)
    assert len(server.asked) == 3


def test_case_154_what_is_kept_has_bounds(server: Server, clock: HeldClock) -> None:
    server.size = 100
    documents = RemoteDocuments(server, clock, most_bytes=1000)
    for number in range(50):
        body(documents, f"{URL}?{number}")
    assert len(server.asked) == 50
    for number in range(49, 39, -1):
        body(documents, f"{URL}?{number}")
    assert len(server.asked) == 50
    body(documents, f"{URL}?39")
    assert len(server.asked) == 51
    with_failures = RemoteDocuments(server, clock)
    server.fails = True
    for number in range(2100):
        with pytest.raises(FetchFailed):
            body(with_failures, f"{URL}?{number}")
    with pytest.raises(FetchFailed):
        body(with_failures, f"{URL}?0")
    assert len(server.asked) == 51 + 2101


class Slow(Server):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.let = threading.Event()

    def get(self, url: str, *, accept: tuple[str, ...], largest: int = 0) -> Fetched:
        self.begun.release()
        assert self.let.wait(10)
        return super().get(url, accept=accept, largest=largest)


def begin(documents: RemoteDocuments, url: str, got: list[bytes]) -> threading.Thread:
    thread = threading.Thread(target=lambda: got.append(body(documents, url)))
    thread.start()
    return thread


def test_case_082_few_wait_and_one_asks(clock: HeldClock) -> None:
    """What slow servers can hold is a few threads, and of one document one fetch."""
    server, got = Slow(), list[bytes]()
    documents = RemoteDocuments(server, clock, most_at_once=3)
    threads = [begin(documents, URL, got)]
    assert server.begun.acquire(timeout=10)
    threads += [begin(documents, f"{URL}?other", got)]
    assert server.begun.acquire(timeout=10)
    threads += [begin(documents, URL, got)]
    while documents.free_slots:
        threads[-1].join(0.01)
    with pytest.raises(FetchFailed) as failed:
        body(documents, "https://another.example.test/")
    assert failed.value.reason == "too many fetches at once"
    server.let.set()
    for thread in threads:
        thread.join()
    assert sorted(server.asked) == [URL, f"{URL}?other"]
    assert len(got) == 3


def test_case_082_one_slow_server_leaves_places_for_the_others(clock: HeldClock) -> None:
    """Whoever registers a client with a slow `jwks_uri` would else shut the others' keys out."""
    server, got = Slow(), list[bytes]()
    documents = RemoteDocuments(server, clock)
    threads = []
    for place in ("SLOW.example.test/0", "slow.example.test:443/", "slow.example.test?2", SAME):
        threads += [begin(documents, f"https://{place}", got)]
        assert server.begun.acquire(timeout=10)
    for more in ("https://slow.example.test/4", "https://slow.example.test?4"):
        with pytest.raises(FetchFailed) as failed:
            body(documents, more)
        assert failed.value.reason == "too many fetches at once"
    threads += [begin(documents, URL, got)]
    assert server.begun.acquire(timeout=10)
    server.let.set()
    for thread in threads:
        thread.join()
    assert len(got) == 5
    assert body(documents, "https://slow.example.test/4"), "its places are free again"


def test_case_082_nobody_waits_where_an_older_one_can_stand_in(clock: HeldClock) -> None:
    server, got = Slow(), list[bytes]()
    documents = RemoteDocuments(server, clock)
    server.let.set()
    assert body(documents) == b"1"
    assert server.begun.acquire(timeout=10)
    clock.advance(300)
    server.let.clear()
    asking = begin(documents, URL, got)
    assert server.begun.acquire(timeout=10)
    assert body(documents) == b"1"
    server.let.set()
    asking.join()
    assert got == [b"2"]
    assert body(documents) == b"2"


def test_who_waits_is_told_of_the_failure(clock: HeldClock) -> None:
    class Broken(Slow):
        def get(self, url: str, *, accept: tuple[str, ...], largest: int = 0) -> Fetched:
            super().get(url, accept=accept)
            raise FetchFailed("status 500")

    server, told = Broken(), list[str]()
    documents = RemoteDocuments(server, clock)

    def ask() -> None:
        try:
            body(documents)
        except FetchFailed as failed:
            told.append(failed.reason)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    server.let.set()
    for thread in threads:
        thread.join()
    assert told == ["status 500"] * 3
    assert len(server.asked) == 1
