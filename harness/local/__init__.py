"""The composition root: the only place that knows all parts. One module for each thing that is put together here.

Empty on purpose: the edge and the router import what they need and no more.
"""
