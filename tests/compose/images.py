"""The images that the Dockerfile and docker-compose.yml name, made from Debian packages."""

import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .machine import ROOT, Machine, StepError

STANDINS = Path(__file__).parent / "standins"
LEFT_OUT = ["proc/*", "sys/*", "dev/*", "var/cache/apt/*", "var/lib/apt/lists/*", "usr/share/doc/*"]


def make_base_images(machine: Machine) -> None:
    base = _found(r"ARG PYTHON_IMAGE=(\S+)", "Dockerfile")[0]
    machine.say(f"Base image {base} from debootstrap")
    _bootstrap(machine, base)
    named = [image for image in _found(r"image: (\S+)", "docker-compose.yml") if "$" not in image]
    machine.say(f"Stand-ins for {', '.join(named)}")
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(_build_standin, machine, base), named))


def _found(pattern: str, file: str) -> list[str]:
    return re.findall(pattern, (ROOT / file).read_text())


def _bootstrap(machine: Machine, image: str) -> None:
    root, archive = machine.work / "debian", machine.work / "debian.tar"
    packages = "--include=python3,python3-venv,ca-certificates"
    machine.run("debootstrap", "--variant=minbase", packages, "bookworm", root, _mirror(machine))
    left_out = [f"--exclude=./{path}" for path in LEFT_OUT]
    machine.run("tar", "-C", root, "--one-file-system", *left_out, "-cf", archive, ".")
    machine.run("docker", "import", "--change", 'CMD ["python3"]', archive, image)
    machine.run("rm", "-rf", "--one-file-system", root, archive)


def _mirror(machine: Machine) -> str:
    """Return the mirror that apt is configured with; its proxy goes into the environment."""
    form = "$(IDENTIFIER)|$(ORIGIN)|$(COMPONENT)|$(CODENAME)|$(SITE)"
    for line in machine.run("apt-get", "indextargets", "--format", form).splitlines():
        if line.startswith("Packages|Debian|main|bookworm|"):
            proxy = machine.run("apt-config", "shell", "P", "Acquire::http::Proxy").partition("'")[
                2
            ]
            if proxy:
                machine.environment["http_proxy"] = proxy.rstrip("'\n")
            return line.rpartition("|")[2]
    raise StepError("apt has no source for Debian bookworm: this test runs on Debian 12")


def _build_standin(machine: Machine, base: str, image: str) -> None:
    folder = STANDINS / image.rpartition("/")[2].partition(":")[0]
    proxy = machine.environment.get("http_proxy", "")
    arguments = ["--build-arg", f"BASE={base}", "--build-arg", f"http_proxy={proxy}"]
    machine.run(
        "docker", "build", "--quiet", "--network", "host", *arguments, "--tag", image, folder
    )


@contextmanager
def wheels(machine: Machine) -> Iterator[None]:
    """Download the locked wheels and serve them on loopback, for a build without an index."""
    if sys.version_info[:2] != (3, 11):
        raise StepError(
            "the image has Python 3.11: make .venv with it too (make setup PYTHON=python3.11)"
        )
    folder = machine.work / "wheels"
    machine.say("Downloading the wheels of requirements.txt")
    words = "-m pip download --quiet --no-deps --only-binary :all: --require-hashes"
    words += f" -r requirements.txt -d {folder}"
    machine.run(sys.executable, *words.split(), inherit=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    machine.environment["DOORWARD_TEST_WHEELS"] = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield
    finally:
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
