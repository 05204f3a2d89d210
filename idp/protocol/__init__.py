"""One specification, one module, its number in the first line. No Flask, no SQL."""
