"""The measurement: both servers stay up, and each run of ours comes right after a bare one.

Other work on the machine slows both alike, so a ratio is taken within each pair; its median counts.
"""

import os
import sys
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench import checks, crowd, load, machine, report, sign_in, timing
from bench.load import Run
from bench.material import Material
from bench.running import Running, free_port, started
from bench.wire import Wire
from bench.works import WORKS, Work, bare

_IDP = (sys.executable, "-c", "from idp.cli.main import main; main()")


@dataclass(frozen=True)
class Plan:
    """How much is measured; `seconds` of each run of ours, `floor_seconds` of each bare one;
    `tries` to sign in of each kind of account.
    """

    rounds: int
    seconds: int
    floor_seconds: int
    tries: int


THOROUGH = Plan(5, 4, 2, 400)
QUICK = Plan(1, 1, 1, 40)
SIGN_IN, CROWD, TIMING = PEOPLE = ("sign_in", "crowd", "timing")
"""What is measured with people beside the works."""


class Bench:
    """One installation, measured."""

    def __init__(self, material: Material, database: str, folder: Path, plan: Plan) -> None:
        self._material = material
        self._database = database
        self._folder = folder
        self._plan = plan
        self._server_core, self._load_core = machine.two_cores()
        self._crowd_core = machine.third_core(self._server_core, self._load_core)

    def run(self, works: Sequence[Work], people: Collection[str]) -> dict[str, Any]:
        """Measure and return all figures; `people` are some of PEOPLE. Raises WrongAnswers,
        WrongPage.
        """
        os.sched_setaffinity(0, {self._load_core})
        with ExitStack() as stack:
            plain = stack.enter_context(self._bare())
            server = stack.enter_context(self._server())
            memory = server.memory()
            pairs = self._pairs(works, plain, server)
            results: dict[str, Any] = {
                "machine": machine.description(self._folder),
                "database": self._database,
                "plan": vars(self._plan),
                "server": {"memory_mb": memory, "seconds_to_ready": server.seconds_to_ready},
                "bare": {
                    floor: report.summary(
                        [
                            one
                            for work in works
                            if work.floor == floor
                            for one, _ in pairs[work.name]
                        ]
                    )
                    for floor in dict.fromkeys(work.floor for work in works)
                },
                "works": {name: report.compared(found) for name, found in pairs.items()},
            }
            results.update(self._with_people(server, people))
        return results

    def _with_people(self, server: Running, asked: Collection[str]) -> dict[str, Any]:
        plan, material, found = self._plan, self._material, {}
        if SIGN_IN in asked:
            cores = self._server_core, self._load_core
            found[SIGN_IN] = sign_in.measure(server, material, cores, plan.rounds, plan.seconds)
        if CROWD in asked:
            (work,) = [one for one in WORKS if one.name == "introspection"]
            wire = work.wire(material, plan.seconds)
            most = self._driven(server, wire, plan.seconds).rate
            found[CROWD] = crowd.measure(
                server,
                wire,
                most / 2,
                material.authorization_query(material.elliptic),
                plan.seconds * 2,
                self._crowd_core,
            )
        if TIMING in asked:
            found[TIMING] = timing.measure(server, material, plan.tries)
        return found

    def _bare(self) -> Any:
        port = free_port()
        command = [sys.executable, "-m", "bench.bare", str(port)]
        log = self._folder / "bare.log"
        return started(command, port, "/document", {self._server_core}, log)

    def _server(self) -> Any:
        settings = self._material.parts.settings
        port = int(settings.issuer.rpartition(":")[2])
        command = [*_IDP, "serve", "--port", str(port), "--workers", "1"]
        environment = {
            "IDP_ISSUER": settings.issuer,
            "IDP_DATA_DIR": str(settings.data_dir),
            "IDP_KEYS_DIR": str(settings.keys_dir),
            "IDP_DATABASE_URL": settings.database_url,
            "IDP_NETWORK_LIMIT": str(settings.network_limit),
            "IDP_KEY_ENCRYPTION_KEY": settings.key_encryption_key.get_secret_value(),
        }
        log = self._folder / "server.log"
        return started(command, port, "/health/ready", {self._server_core}, log, environment)

    def _pairs(
        self, works: Sequence[Work], plain: Running, server: Running
    ) -> dict[str, list[tuple[Run, Run]]]:
        pairs: dict[str, list[tuple[Run, Run]]] = {work.name: [] for work in works}
        for number in range(self._plan.rounds):
            for work in works:
                if sys.stderr.isatty():
                    print(
                        f"round {number + 1} of {self._plan.rounds}: {work.title}", file=sys.stderr
                    )
                floor = self._driven(plain, bare(work.floor), self._plan.floor_seconds)
                pairs[work.name].append((floor, self._worked(server, work)))
        return pairs

    def _worked(self, server: Running, work: Work) -> Run:
        """Drive one piece of work, and check what it left."""
        seconds = self._plan.seconds
        wire = work.wire(self._material, seconds + 1)
        before = checks.entries(self._material)
        run = self._driven(server, wire, seconds)
        checks.audited(checks.entries(self._material) - before, run, work.tokens)
        if work.tokens and not checks.genuine(server.origin, run.samples):
            raise load.WrongAnswers("No token to verify.")
        return run

    def _driven(self, target: Running, wire: Wire, seconds: int) -> Run:
        before = target.processor_seconds()
        run = load.drive(target.origin, wire, seconds, self._load_core, self._folder)
        return replace(run, processor=target.processor_seconds() - before)
