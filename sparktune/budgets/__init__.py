"""Objectives that get a budget, and the states that they hand on from one budget to the next.

objective  how they are called, and which ones cannot be
states     where states are kept
retention  which states may still be needed
samples    samples of a data set that grow with a budget
saying     what a run says of its budgets, in the log
keeping    an executor whose outcomes' states are kept
"""
