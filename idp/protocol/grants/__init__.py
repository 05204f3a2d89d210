"""One grant type, one module: each adds only its own steps to Authlib's token endpoint."""
