"""The application for any WSGI server: `gunicorn wsgi:app`. `idp serve` is the better way in.

It refuses to start with settings that `idp serve` would refuse.
"""

from idp.app import create_app

app = create_app()
