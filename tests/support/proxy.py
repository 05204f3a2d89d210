"""Debian's nginx in front of a server, set up as docs/how-to/run-behind-a-proxy.md says."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.certificates import Certificate
from tests.support.checkout import ROOT
from tests.support.serving import HOST

PAGE = ROOT / "docs/how-to/run-behind-a-proxy.md"
_AROUND = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{}}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {recipe}
}}
"""


def recipe(language: str) -> str:
    """Return the page's code block in that language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    assert len(found) == 1, language
    return str(found[0])


@contextmanager
def nginx(
    folder: Path, certificate: Certificate, *, port: int, plain_port: int, inside: int
) -> Iterator[None]:
    """Serve what listens at `inside` as https://localhost:`port` meanwhile."""
    text = recipe("nginx")
    for said, meant in {
        "listen [::]:443 ssl;": "",
        "listen [::]:80;": "",
        "listen 443 ssl;": f"listen {HOST}:{port} ssl;",
        "listen 80;": f"listen {HOST}:{plain_port};",
        "/etc/doorward/tls.crt": str(certificate.certificate),
        "/etc/doorward/tls.key": str(certificate.key),
        "/var/log/nginx/doorward.log": str(folder / "access.log"),
        "https://id.example.com": f"https://localhost:{port}",
        "id.example.com": "localhost",
        "127.0.0.1:8000": f"{HOST}:{inside}",
    }.items():
        assert said in text, said
        text = text.replace(said, meant)
    folder.mkdir()
    (folder / "nginx.conf").write_text(_AROUND.format(recipe=text))
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *command],
        env={"PATH": f"{os.environ['PATH']}:/usr/sbin"},
    )
    try:
        _wait(process, port, folder)
        yield
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    for _ in range(600):
        try:
            socket.create_connection((HOST, port), 30).close()
        except ConnectionRefusedError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
        break
    raise AssertionError(f"nginx did not start: {(folder / 'error.log').read_text()}")
