"""The application for any WSGI server: `gunicorn wsgi:app`. `idp serve` is the better way in."""

from idp.app import create_app

app = create_app()
