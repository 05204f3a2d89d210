"""Tables, named queries and migrations: all SQL lives here. Opens no transaction by itself; domain
does.
"""
