"""The developer console: one's own applications, registered, looked at, changed, deleted.

Each view names the permission that it needs; what is registered is checked in protocol, and whose
an application is in domain.
"""
