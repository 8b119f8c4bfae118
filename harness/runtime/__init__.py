"""Starts a landscape's processes and keeps them up. It knows plans, not manifests."""
