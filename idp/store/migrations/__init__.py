"""The database's versions, oldest first. Each runs inside the one transaction that `schema.upgrade`
opened.
"""
