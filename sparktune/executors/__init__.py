"""Executors: where trials are evaluated. `Serial` in this thread; `Pool` on threads over a
transport; `Parts` around another, where a trial is n calls.
"""
