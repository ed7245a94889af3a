"""Observers: functions of (event, history) that show or keep what happens in a run, and never
change it.
"""
