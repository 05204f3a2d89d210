"""Small applications on loopback sockets, in threads of the test's own process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.serving import HOST


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests; errors are still logged."""


@contextmanager
def serving_at(port: int, app: WSGIApplication) -> Iterator[None]:
    """Serve `app` at a port of loopback meanwhile."""
    server = make_server(HOST, port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
