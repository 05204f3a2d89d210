"""Start the archive: `.venv/bin/python -m examples.archive`."""

import os

import uvicorn

from examples.archive.app import Settings, create_app

if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8003"))
    uvicorn.run(create_app(Settings.of(os.environ)), host="127.0.0.1", port=port)
