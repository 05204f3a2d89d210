"""Start the Field Notes application: `.venv/bin/python -m examples.webapp`."""

import os

from examples.webapp.app import Settings, create_app

if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8001"))
    create_app(Settings.of(os.environ)).run("127.0.0.1", port, threaded=True)
