"""Time-based one-time passwords (RFC 6238)."""


def place(account_id: str, authenticator_id: str) -> str:
    """Return the context under which a seed is sealed (SECURITY case 113)."""
    return f"authenticators:{account_id}:{authenticator_id}"
