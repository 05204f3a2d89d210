"""Start the Field Notes API: `.venv/bin/python -m examples.api`."""

import os

from examples.api.app import Settings, create_app

if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8002"))
    create_app(Settings.of(os.environ)).run("127.0.0.1", port, threaded=True)
