"""The garbage collector of the processes that live long and have many requests under way."""

import gc


def settle_collector(*thresholds: int) -> None:
    """Leave alone what start-up made, which lives as long as the process, and look seldom.

    Each request under way holds hundreds of young objects, and none of them is garbage yet.
    `thresholds` are those of `gc.set_threshold`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
