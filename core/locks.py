"""The advisory locks of PostgreSQL that Nightbake takes; one number each, in one place so that none is used twice."""

from enum import IntEnum


class Lock(IntEnum):
    """What only one process may do at a time."""

    MIGRATE = 7_140_001
    INDEX = 7_140_002
    NIGHT = 7_140_003
    SOURCE = 7_140_004
    EMBEDDING_MODEL = 7_140_005
    SERVING = 7_140_006
    MEMORY = 7_140_007
