-- One row that is written to see whether writes succeed.
CREATE TABLE write_probe (
    id         INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    probes     INTEGER NOT NULL,
    filler     TEXT NOT NULL
) STRICT;

INSERT INTO write_probe (id, probes, filler) VALUES (1, 0, '');
