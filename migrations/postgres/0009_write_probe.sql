-- One row that is written to see whether writes succeed.
CREATE TABLE write_probe (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    probes BIGINT NOT NULL,
    filler     TEXT NOT NULL
);

INSERT INTO write_probe (id, probes, filler) VALUES (1, 0, '');
