"""Randomness, digests, sealing, JOSE signatures and key files. Knows no claims, no tables and no
HTTP.
"""
