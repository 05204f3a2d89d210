"""The `idp` command: one module for each noun. Imports the composition root, never a table."""

import importlib.util
import sys

OLDEST_PYTHON = (3, 11)

if sys.version_info < OLDEST_PYTHON:
    print(
        "Doorward needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info[:2]),
        file=sys.stderr,
    )
    sys.exit(2)
if importlib.util.find_spec("click") is None:
    print(
        "Only the kit for services is installed. For the server: pip install 'doorward[server]'",
        file=sys.stderr,
    )
    sys.exit(2)
