"""What authsvc is compared with, each set up as its own documents say, in the environment that `make bench` makes.

A module here is an app for gunicorn and a command: `plant N` makes N users in an empty database, `access N` and
`refresh N` write as many tokens, each with what the answer to it holds.
"""
