"""The collector of cycles in a process that serves: kept away from what stays, and seldom at work."""

import gc


def spare_the_collector() -> None:
    """What is there when serving begins stays: the collector of cycles need not look at it again and again. A call
    leaves no cycles behind, so that it need not look often either.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
