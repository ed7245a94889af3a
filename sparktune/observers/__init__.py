"""Observers: functions `(event, history)` that show or save the events of a run, and never change
it.
"""
