"""The machine: commands with a deadline, Debian's Docker, a daemon of its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
NO_START = Path("/usr/sbin/policy-rc.d")
PACKAGES = {
    "dockerd": "docker.io",
    "docker-compose": "docker-compose",
    "debootstrap": "debootstrap",
}


class StepError(Exception):
    """A step went wrong; the text says which and how."""


@dataclass
class Machine:
    """Runs commands in `work` until `deadline` (seconds of time.monotonic)."""

    work: Path
    deadline: float
    started: float = field(default_factory=time.monotonic)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {name: os.environ[name] for name in os.environ if name.lower().endswith("_proxy")}
        # Debian's docker before any other.
        path = f"/usr/sbin:/usr/bin:/sbin:/bin:{os.environ['PATH']}"
        self.environment = kept | {"PATH": path, "HOME": str(self.work), "LANG": "C.UTF-8"}

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.started:4.0f} s] {text}", flush=True)

    @property
    def log(self) -> Path:
        return self.work / "log"

    def run(self, *words: str | Path, stdin: str | None = None, inherit: bool = False) -> str:
        """Return what the command prints. Raises StepError with its last lines."""
        environment = {**os.environ, **self.environment} if inherit else self.environment
        left = max(1.0, self.deadline - time.monotonic())
        try:
            done = subprocess.run(
                words,
                check=False,
                input=stdin,
                env=environment,
                cwd=ROOT,
                timeout=left,
                capture_output=True,
                text=True,
            )
        except subprocess.TimeoutExpired as error:
            raise StepError(
                f"{' '.join(map(str, words))}: not done when the time was up"
            ) from error
        text = done.stdout + done.stderr
        with self.log.open("a") as log:
            log.write(f"\n$ {' '.join(map(str, words))}\n{text}")
        if done.returncode:
            tail = "\n".join(text.splitlines()[-30:])
            raise StepError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{tail}")
        return done.stdout


def install_packages(machine: Machine) -> None:
    """Install what is missing, without starting the daemon that comes with it."""
    path = machine.environment["PATH"]
    missing = [
        package for command, package in PACKAGES.items() if not shutil.which(command, path=path)
    ]
    if not missing:
        return
    machine.say(f"Installing {' '.join(missing)}")
    ours = not NO_START.exists()
    if ours:
        NO_START.write_text("#!/bin/sh\nexit 101\n")
        NO_START.chmod(0o755)
    try:
        machine.run("apt-get", "update", "-q")
        machine.environment["DEBIAN_FRONTEND"] = "noninteractive"
        machine.run("apt-get", "install", "-q", "-y", "--no-install-recommends", *missing)
    finally:
        if ours:
            NO_START.unlink()


@contextmanager
def docker_daemon(machine: Machine) -> Iterator[None]:
    """Run a daemon that shares nothing with another and changes neither firewall nor forwarding."""
    work = machine.work
    socket = f"unix://{work}/docker.sock"
    words = f"""setpriv --pdeathsig TERM dockerd --host {socket} --data-root {work}/data
        --exec-root {work}/exec --pidfile {work}/dockerd.pid --containerd-namespace doorward-test
        --containerd-plugins-namespace doorward-test-plugins --bridge none --iptables=false
        --ip6tables=false --ip-forward=false --ip-masq=false""".split()
    with (work / "dockerd.log").open("w") as log:
        daemon = subprocess.Popen(
            words, env=machine.environment, stdout=log, stderr=log, start_new_session=True
        )
    machine.environment |= {
        "DOCKER_HOST": socket,
        "DOCKER_CONFIG": str(work),
        "DOCKER_BUILDKIT": "1",
    }
    try:
        _await_daemon(machine, daemon)
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(60)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        _unmount(work)


def _await_daemon(machine: Machine, daemon: subprocess.Popen[bytes]) -> None:
    for _ in range(60):
        try:
            machine.run("docker", "version")
        except StepError:
            if daemon.poll() is not None:
                break
            time.sleep(1)
        else:
            return
    tail = (machine.work / "dockerd.log").read_text().splitlines()[-15:]
    raise StepError("dockerd does not start:\n" + "\n".join(tail))


def _unmount(work: Path) -> None:
    """Let go of what a daemon that had to be killed left mounted."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if mount.startswith(f"{work}/"):
            subprocess.run(["umount", "--lazy", mount], check=False)
