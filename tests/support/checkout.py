"""Where things lie in the checkout."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
"""The folder with the commands of the virtual environment that runs the tests."""
