"""What every factor must pass: added, used, presented again, renamed, kept from others, removed.

Two gunicorn masters over one database take the requests in turn, so nothing of it may live in a
process; `serve` prints their workers and fails if one of them gave all answers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idp.app import services_of
from idp.domain.clock import system_clock
from idp.domain.services import Services
from tests.account.console import forge, send
from tests.factors.every_factor import ACCOUNT, FACTORS, SECURITY, Factor
from tests.factors.hands import World
from tests.support import databases
from tests.support.application import Seeded, Templates, running, settings_for
from tests.support.postgres_server import PostgresServer
from tests.support.refusals import contents, entries
from tests.support.serving import nodes_over
from tests.support.token_parts import claims_of

SETTINGS = {"smtp_url": "smtp://127.0.0.1:1?tls=off", "network_limit": 100_000}
BY_ANY_NODE = frozenset({"outgoing_mail", "leases"})
"""What the nodes write by themselves: how far a mail came, and who does what recurs."""


Worlds = Callable[[str, PostgresServer | None], World]


@pytest.fixture(scope="module")
def worlds(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """Two nodes on one database for all factors: started when they are first needed. 3 s."""
    made: dict[str, World] = {}
    with ExitStack() as stack:

        def world_on(kind: str, server: PostgresServer | None) -> World:
            if kind not in made:
                template = templates.of(kind, server, real_time=True)
                folder = tmp_path_factory.mktemp("every-factor")
                made[kind] = stack.enter_context(started(template, folder, server))
            return made[kind]

        yield world_on


@contextmanager
def started(template: Seeded, folder: Path, server: PostgresServer | None) -> Iterator[World]:
    """Start the nodes on a copy of a seeded database, and look behind them."""
    database = databases.copied(template.database, folder / "data", server)
    with nodes_over(Seeded(database, template.seeds), folder) as serve:
        serving = serve(nodes=2, **SETTINGS)
        settings = settings_for(database, folder / "keys", issuer=serving.issuer, **SETTINGS)
        with running(settings, system_clock) as behind:
            yield World(serving, services_of(behind))
    databases.dropped(database, server)


@pytest.fixture
def world(database_kind: str, postgres_if_wanted: PostgresServer | None, worlds: Worlds) -> World:
    """The nodes on the database of the test."""
    return worlds(database_kind, postgres_if_wanted)


@dataclass
class Told:
    """What was written meanwhile: entries of the audit log about one account or none, and mails."""

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)


@contextmanager
def telling(services: Services, account_id: str) -> Iterator[Told]:
    """Watch."""
    told, before = Told(), contents(services.store)
    seen = {one["id"] for one in entries(services.store)}
    mailed = {one.id for one in services.outbox.latest(1000)}
    yield told
    for one in entries(services.store):
        if one["id"] not in seen and one["account_id"] in {account_id, None}:
            (told.done if one["outcome"] == "done" else told.refused).append(one["event"])
    told.mails += [one.kind for one in services.outbox.latest(1000) if one.id not in mailed]
    after = contents(services.store)
    told.changed |= {name for name in after if after[name] != before[name]} - BY_ANY_NODE


@pytest.mark.parametrize("kind", FACTORS, ids=lambda kind: kind.__name__)
def test_every_factor(kind: type[Factor], world: World) -> None:
    factor = kind(world)
    services, person = world.services, factor.mine.account_id
    with telling(services, person) as told:
        here = factor.enrol()
    assert told.done.count(factor.added) == 1, told
    assert noticed(told) == sorted(factor.notices[0]), told

    elsewhere = factor.mine.browser()
    with telling(services, person) as told:
        done = factor.sign_in(elsewhere)
    tokens = factor.mine.application.redeem(done.callback).json()
    assert set(claims_of(tokens["id_token"])["amr"]) == factor.amr
    signed_in = [one for one in entries(services.store) if one["event"] == "sign_in"][-1]
    assert (signed_in["account_id"], signed_in["detail"]["factor"]) == (person, factor.method)
    assert elsewhere.get(ACCOUNT).url.endswith(ACCOUNT)

    replayed(factor)
    if factor.renamed:
        path = f"{factor.path()}/rename"
        with telling(services, person) as told:
            page = send(here, factor.mine.to(here, path), path, name="The blue one")
        assert "The blue one" in page.text
        assert (told.done, told.refused, told.mails) == ([factor.renamed], [], [])
    if factor.path():
        kept_from_others(factor)

    with telling(services, person) as told:
        factor.remove(here)
    assert told.done.count(factor.removed) == 1, told
    assert noticed(told) == sorted(factor.notices[1]), told
    assert here.get(ACCOUNT).url.endswith(ACCOUNT), "who removes it stays"
    assert elsewhere.get(ACCOUNT).url.endswith(ACCOUNT) != factor.shuts_out
    refreshed = factor.mine.application.refresh(tokens["refresh_token"])
    assert refreshed.json().get("error") == ("invalid_grant" if factor.shuts_out else None)
    assert factor.after_removal()


def noticed(told: Told) -> Sequence[str]:
    """Return the notices among the mails; the others were asked for."""
    asked_for = {"prove_address", "sign_in_link", "new_device"}
    return sorted(kind for kind in told.mails if kind not in asked_for)


def replayed(factor: Factor) -> None:
    """What was used is refused and recorded, and changes nothing."""
    once_more = factor.replay()
    with telling(factor.mine.world.services, factor.mine.account_id) as told:
        page = once_more()
    assert page.left_for is None, page
    assert told.mails == []
    if factor.replay_refused:
        assert page.status in {400, 404}, page
        assert (told.done, told.refused, told.changed) == ([], ["sign_in"], set())
    else:
        assert page.url.endswith("/second-factor/code"), page
        assert (told.done, told.changed) == (["sign_in.factor"], {"one_time"})


def kept_from_others(factor: Factor) -> None:
    """By its id somebody else finds nothing, which is recorded as theirs."""
    services, other = factor.mine.world.services, factor.mine.world.newcomer("otto")
    browser = other.at_home()
    page = browser.get(SECURITY)
    for deed in factor.deeds():
        with telling(services, other.account_id) as told:
            answer = forge(browser, page, f"{factor.path()}/{deed}", {"name": "Mine"})
        assert answer.status == 404, answer
        assert (told.done, told.refused, told.changed) == ([], ["access.refused"], set())
