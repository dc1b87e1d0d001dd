-- name: visits_by_hour
-- Returns the visits of a site by day and hour of the day, those of people who asked not to be followed too.
SELECT day, key, CAST(sum(visits + unlinked) AS BIGINT) FROM counts_day
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day AND dimension = :dimension
GROUP BY day, key;

-- name: lasting_silences
-- Returns the silences that have not ended.
SELECT site_id, started_at FROM silences WHERE ended_at IS NULL;

-- name: ended_silences
-- Returns the silences of a site that ended after a moment.
SELECT started_at, ended_at FROM silences WHERE site_id = :site_id AND ended_at > :since ORDER BY started_at;

-- name: insert_silence
-- Inserts a silence, unless another process has told of it.
INSERT INTO silences (site_id, started_at) VALUES (:site_id, :started_at)
ON CONFLICT (site_id, started_at) DO NOTHING RETURNING site_id;

-- name: end_silence
-- Stores when the visits came back.
UPDATE silences SET ended_at = :ended_at WHERE site_id = :site_id AND started_at = :started_at AND ended_at IS NULL;
