"""Objectives that get a budget, and the states that they hand on from one budget to the next.

objective  how objectives are called, and which ones are refused
states     where states are kept
retention  which states may still be needed
samples    samples of a data set that grow with a budget
saying     what a run logs about its budgets
keeping    an executor that keeps the states of its outcomes
"""
