"""What the hot endpoints cost, beside a bare Flask application under the same settings."""
