"""Interactive work on models: generate, show tokens, count them. A program behind a unix socket.

`python -m training_engine.serve SOCKET`. One process, one thread that computes, answers streamed
token by token; the process that started it is the only one that may talk to it.
"""
