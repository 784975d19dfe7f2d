-- name: begin
INSERT INTO web_sign_ins (state_hash, browser_hash, nonce, verifier, next_path, expires_at)
VALUES (%(state_hash)s, %(browser_hash)s, %(nonce)s, %(verifier)s, %(next_path)s,
        now() + make_interval(secs => %(seconds)s))

-- name: take
-- By the browser that began it, and once.
WITH taken AS (
    DELETE FROM web_sign_ins WHERE state_hash = %(state_hash)s AND browser_hash = %(browser_hash)s
    RETURNING nonce, verifier, next_path, expires_at
)
SELECT nonce, verifier, next_path FROM taken WHERE expires_at > now()

-- name: sweep
DELETE FROM web_sign_ins WHERE expires_at < now()
