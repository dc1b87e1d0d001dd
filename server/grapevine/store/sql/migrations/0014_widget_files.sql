-- The files of each widget that servers of this database have served, so that every process has those of every build after an
-- upgrade, and while one is under way. Names have the hash of what is in the files: a row never changes but for `served_at`.
-- `body` is the text of the file, `brotli` the file as build.py compressed it, in base64, `served_at` when a server with this
-- file last ran, to a day.
CREATE TABLE widget_files (
    name      TEXT   NOT NULL,
    body      TEXT   NOT NULL,
    brotli    TEXT   NOT NULL,
    served_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);
