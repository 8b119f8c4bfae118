"""Where signature, identity and policy meet: every edge asks here who calls and whether it may.

`Authority.authenticate` answers who; `Authority.authorize` answers whether. Both are pure but for the clock.
"""
