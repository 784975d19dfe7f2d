"""Vectors in PostgreSQL's notation."""

import numpy as np

from retrieval.embedding import Vectors


def render_vector(vector: Vectors) -> str:
    """`[0.1,-0.2]`, to be cast to halfvec; six digits are more than its eleven bits hold."""
    return "[" + ",".join(np.char.mod("%.6g", vector).tolist()) + "]"
