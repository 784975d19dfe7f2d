-- What the two scores of the search mean in this corpus, measured on it.

CREATE TABLE fusion_calibrations (
    model_id     smallint NOT NULL REFERENCES embedding_models ON DELETE CASCADE,
    language     text NOT NULL CHECK (language IN ('en', 'ko')),
    dense_mean   float8 NOT NULL,
    dense_spread float8 NOT NULL CHECK (dense_spread > 0),
    dense_share  float8 NOT NULL CHECK (dense_share BETWEEN 0 AND 1),
    dense_mrr    float8 NOT NULL,
    lexical_mrr  float8 NOT NULL,
    fused_mrr    float8 NOT NULL,
    questions    integer NOT NULL,
    chunks       integer NOT NULL,
    measured_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model_id, language)
);
COMMENT ON COLUMN fusion_calibrations.dense_mean IS 'cosine of questions and chunks that have nothing to do with each other';
COMMENT ON COLUMN fusion_calibrations.dense_share IS 'part of its say that the dense side keeps; 0: the model is blind here';
COMMENT ON COLUMN fusion_calibrations.dense_mrr IS 'MRR@10 on questions made from the corpus, as are the other two';
COMMENT ON COLUMN fusion_calibrations.chunks IS 'of the language when it was measured: another number means to measure again';
