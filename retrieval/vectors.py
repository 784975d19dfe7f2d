"""Vectors in PostgreSQL's notation."""

import numpy as np
import orjson

from retrieval.embedding import Vectors


def render_vector(vector: Vectors) -> str:
    """`[0.1,-0.2]`, to be cast to halfvec."""
    return orjson.dumps(np.ascontiguousarray(vector, dtype=np.float32), option=orjson.OPT_SERIALIZE_NUMPY).decode()
