"""Models and transformers with the spaces in which their parameters are searched.

*.toml       what there is, as data
entries      reads it
component    makes a node of a search space out of an entry
groups       choices among components
suitable     which of them can handle given data
"""
