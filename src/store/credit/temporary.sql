-- What json.sql will credit; one for each connection that writes, in memory.
CREATE TEMPORARY TABLE fresh (
    number  INTEGER PRIMARY KEY NOT NULL,
    event   TEXT,
    type    TEXT    NOT NULL,
    topup   TEXT    NOT NULL,
    session TEXT    NOT NULL,
    payment TEXT    NOT NULL,
    account TEXT    NOT NULL,
    credits INTEGER NOT NULL,
    entry   TEXT    NOT NULL,
    now_ms  INTEGER NOT NULL
)
