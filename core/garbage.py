"""Python's garbage collector in a service: what lives to the end is not looked through again and again."""

import atexit
import gc

# At the end everything is collected as ever: nanobind reports what is left as leaks.
atexit.register(gc.unfreeze)


def keep_what_is_built() -> None:
    """Take everything that exists now for what stays; for when a service is ready.

    A full collection looks at every object while nothing else runs: 67 ms for 130,000 objects on a core of 2.5 GHz,
    in which no event is acknowledged.
    """
    gc.collect()
    gc.freeze()
