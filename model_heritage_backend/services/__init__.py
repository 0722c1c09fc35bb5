"""Use cases: what a request or a command asks for, between the routes and the rooms below."""
