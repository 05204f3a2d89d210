"""The nouns and their rules. Owns every transaction; imports store and crypto, never Flask or
Authlib.
"""
