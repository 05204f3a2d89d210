"""The admin console: people, clients, keys, the audit log, mail, settings.

Each view names the permission that it needs; rules about who may do what to whom are in domain.
"""
