"""Every page, rendered with sample contexts and looked at by a real browser."""
