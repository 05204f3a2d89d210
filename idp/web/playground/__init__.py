"""The playground: a public client inside the server that shows all it sends and gets.

It knows no more than any client: every request goes to a real endpoint and is shown as it was sent
and answered. It exists in development mode only.
"""
