"""The rules of rotation without a database, and under any periods that the settings allow."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from idp.config import Settings
from idp.domain.key_schedule import KeyInfo, KeySchedule, State, Step, find
from tests.support.held_clock import START

NOW = int(START)
SETTINGS = Settings()


def key(
    state: State,
    *,
    usable_from: int = NOW,
    activated_at: int | None = None,
    keep_until: int | None = None,
) -> KeyInfo:
    return KeyInfo(
        kid=f"k-{state}",
        algorithm="ES256",
        state=state,
        longest_token=900,
        created_at=NOW,
        usable_from=usable_from,
        activated_at=activated_at,
        retired_at=None,
        keep_until=keep_until,
        archived_at=None,
    )


def test_the_defaults_are_those_that_the_documents_promise() -> None:
    schedule = KeySchedule.of(SETTINGS)
    assert schedule.publication == 300 + 3600 + 5 + 10
    assert schedule.margin == 5 + 2 * 10
    assert schedule.rotation == 30 * 86400
    assert schedule.longest_token == 900


def test_the_longest_token_decides() -> None:
    assert KeySchedule.of(Settings(id_token_lifetime=3600)).longest_token == 3600


def test_the_first_keys_of_an_empty_database_sign_at_once() -> None:
    assert KeySchedule.of(SETTINGS).due([], ["ES256", "RS256"], NOW) == [
        Step("begun", "ES256"),
        Step("published", "ES256"),
        Step("begun", "RS256"),
        Step("published", "RS256"),
    ]


def test_the_first_key_of_a_further_algorithm_is_published_first() -> None:
    keys = [key("active", activated_at=NOW), key("next", usable_from=NOW + 60)]
    due = KeySchedule.of(SETTINGS).due(keys, ["ES256", "PS256"], NOW)
    assert due == [Step("published", "PS256")]


def test_nothing_is_due_before_both_the_period_and_the_publication_are_over() -> None:
    schedule = KeySchedule.of(SETTINGS)
    old = NOW - schedule.rotation
    for activated_at, usable_from in ((old + 1, NOW), (old, NOW + 1)):
        keys = [key("active", activated_at=activated_at), key("next", usable_from=usable_from)]
        assert schedule.due(keys, ["ES256"], NOW) == []
    keys = [key("active", activated_at=old), key("next", usable_from=NOW)]
    assert schedule.due(keys, ["ES256"], NOW) == [
        Step("retired", "ES256", "k-active"),
        Step("activated", "ES256", "k-next"),
        Step("published", "ES256"),
    ]


def test_a_retiring_key_goes_when_nothing_needs_it() -> None:
    schedule = KeySchedule.of(SETTINGS)
    keys = [key("active", activated_at=NOW), key("next", usable_from=NOW + 1)]
    for keep_until, due in ((NOW + 1, []), (NOW, [Step("archived", "ES256", "k-retiring")])):
        retiring = key("retiring", keep_until=keep_until)
        assert schedule.due([retiring, *keys], ["ES256"], NOW) == due


def apply(schedule: KeySchedule, keys: list[KeyInfo], steps: list[Step], now: int) -> list[KeyInfo]:
    """Do what the database would do."""
    for step in steps:
        if step.kid is None:
            first = step.deed == "begun"
            made = KeyInfo(
                kid=f"{step.algorithm}-{len(keys)}",
                algorithm=step.algorithm,
                state="active" if first else "next",
                longest_token=schedule.longest_token,
                created_at=now,
                usable_from=now if first else now + schedule.publication,
                activated_at=now if first else None,
                retired_at=None,
                keep_until=None,
                archived_at=None,
            )
            keys = [*keys, made]
        else:
            keys = [changed(one, step, schedule, now) for one in keys]
    return keys


def changed(one: KeyInfo, step: Step, schedule: KeySchedule, now: int) -> KeyInfo:
    if one.kid != step.kid:
        return one
    if step.deed == "activated":
        return replace(one, state="active", activated_at=now)
    if step.deed == "retired":
        end = now + one.longest_token + schedule.margin
        return replace(one, state="retiring", retired_at=now, keep_until=end)
    return replace(one, state="archived", archived_at=now)


@given(
    st.builds(
        Settings,
        jwks_max_age=st.integers(1, 20),
        key_publication_margin=st.integers(0, 5),
        key_rotation_period=st.integers(1, 60),
        id_token_lifetime=st.integers(60, 90),
        clock_skew=st.integers(0, 3),
    ),
    st.data(),
)
def test_whatever_the_periods_a_cached_key_set_is_never_short(
    settings: Settings, data: st.DataObject
) -> None:
    """A verifier that read the set when a key was published last still has the key that signs."""
    schedule = KeySchedule.of(settings)
    keys: list[KeyInfo] = []
    now = NOW
    for _ in range(40):
        keys = apply(schedule, keys, schedule.due(keys, ["ES256"], now), now)
        active, following = find(keys, "ES256", "active"), find(keys, "ES256", "next")
        assert active is not None
        assert following is not None
        known_since = now - settings.jwks_max_age - settings.cache_lifetime
        assert active.created_at <= max(known_since, NOW)
        for one in keys:
            if one.state == "archived":
                last_token_ends = (one.retired_at or 0) + settings.id_token_lifetime
                assert (one.archived_at or 0) >= last_token_ends + settings.clock_skew
        now += data.draw(st.integers(1, 30))
