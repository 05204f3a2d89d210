"""Values that may be a few seconds old."""

from idp.domain.recent import Recent
from tests.support.held_clock import HeldClock


def reader(calls: list[str], value: str | None) -> str | None:
    calls.append("read")
    return value


def test_a_value_is_read_once_until_it_is_too_old() -> None:
    clock, calls = HeldClock(), list[str]()
    recent: Recent[str | None] = Recent(clock, 5)
    for step, reads in ((0, 1), (4.9, 1), (0.1, 2), (4, 2), (1, 3)):
        clock.advance(step)
        assert recent.get("a", lambda: reader(calls, "x")) == "x"
        assert len(calls) == reads


def test_an_absent_value_is_kept_too() -> None:
    calls = list[str]()
    recent: Recent[str | None] = Recent(HeldClock(), 5)
    assert [recent.get("a", lambda: reader(calls, None)) for _ in range(3)] == [None] * 3
    assert len(calls) == 1


def test_zero_seconds_keep_nothing() -> None:
    calls = list[str]()
    recent: Recent[str | None] = Recent(HeldClock(), 0)
    for _ in range(3):
        recent.get("a", lambda: reader(calls, "x"))
    assert len(calls) == 3


def test_a_clock_that_is_set_back_makes_nothing_live_on() -> None:
    clock, calls = HeldClock(), list[str]()
    recent: Recent[str | None] = Recent(clock, 5)
    recent.get("a", lambda: reader(calls, "x"))
    clock.advance(-3600)
    recent.get("a", lambda: reader(calls, "x"))
    assert len(calls) == 2


def test_forgotten_at_a_change() -> None:
    calls = list[str]()
    recent: Recent[str | None] = Recent(HeldClock(), 5)
    recent.get("a", lambda: reader(calls, "x"))
    recent.forget()
    recent.get("a", lambda: reader(calls, "x"))
    assert len(calls) == 2


def test_one_is_forgotten_and_the_others_stay() -> None:
    calls = list[str]()
    recent: Recent[str | None] = Recent(HeldClock(), 5)
    for key in ("a", "b"):
        recent.get(key, lambda: "old")
    recent.forget_one("a")
    recent.forget_one("never kept")
    assert recent.get("b", lambda: reader(calls, "new")) == "old"
    assert recent.get("a", lambda: reader(calls, "new")) == "new"


def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    recent: Recent[str | None] = Recent(HeldClock(), 5)

    def read_while_it_changes() -> str | None:
        recent.forget()
        return "old"

    assert recent.get("a", read_while_it_changes) == "old"
    assert recent.get("a", lambda: "new") == "new"


def test_case_154_outsiders_cannot_make_it_grow() -> None:
    recent: Recent[str | None] = Recent(HeldClock(), 5, size=100)
    for number in range(1000):
        recent.get(f"unknown-{number}", lambda: None)
    calls = list[str]()
    recent.get("unknown-999", lambda: reader(calls, None))
    assert calls == []
    recent.get("unknown-0", lambda: reader(calls, None))
    assert calls == ["read"]
    assert len(recent) == 100
