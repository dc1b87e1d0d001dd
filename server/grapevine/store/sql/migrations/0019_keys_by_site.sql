-- API keys of a site, and the next ones of all, are found without a look at each key of the server.
CREATE INDEX api_keys_site ON api_keys (site_id);
CREATE INDEX api_keys_created ON api_keys (created_at, key_id /*postgres COLLATE "C" */);
