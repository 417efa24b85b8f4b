#!/usr/bin/env python3
"""Keeps the RFQ events that figd publishes in an SQLite file: each one once, whatever is killed when.

    python3 consumer.py /run/figd/events.sock rfqs.db
    sqlite3 rfqs.db 'SELECT channel, count(*) FROM event GROUP BY channel'

Beside what a program does with the events, this is all it takes to be sure of having missed nothing without knowing it:
the position is kept together with the effect, each connection begins where the last one ended, `lost` and `figd.gap`
are taken down, and a silence of more than a few seconds ends the connection. Python 3.8 or later, nothing else.
"""

import json
import socket
import sqlite3
import sys
import time

CHANNELS = ["rfq.*"]  # those of figd itself, figd.state and figd.gap, come with any
SILENCE = 5  # seconds. figd sends a tick every second: it hangs or is gone when none has come
PAUSE = 1  # seconds until the next try

TABLES = """
    CREATE TABLE IF NOT EXISTS event (epoch TEXT, seq INTEGER, channel TEXT, received_at REAL, message TEXT, PRIMARY KEY (epoch, seq));
    CREATE TABLE IF NOT EXISTS lost (epoch TEXT, first INTEGER, last INTEGER, reason TEXT);
    CREATE TABLE IF NOT EXISTS gap (id INTEGER PRIMARY KEY, cause TEXT, channels TEXT, since REAL, until REAL, reconciled TEXT);
    CREATE TABLE IF NOT EXISTS position (only INTEGER PRIMARY KEY CHECK (only = 1), epoch TEXT, next INTEGER);
"""


def follow(path, db):
    """Reads from one connection until it ends."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SILENCE)
        connection.connect(path)
        at = db.execute("SELECT epoch, next FROM position").fetchone()
        begin = {"epoch": at[0], "seq": at[1]} if at else "oldest"
        ask = {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"channels": CHANNELS, "from": begin}}
        connection.sendall(json.dumps(ask).encode() + b"\n")
        half = b""
        while True:
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("figd closed the connection")
            *lines, half = (half + data).split(b"\n")
            with db:  # one transaction for all that has come: events and position are kept together, or neither is
                for line in lines:
                    take(json.loads(line), db)


def take(line, db):
    """Does what a line from figd asks for."""
    method, params = line.get("method"), line.get("params", {})
    if method == "event":
        event(params, db)
    elif method == "lost":  # in the place of events that can no longer be had
        row = (params["from"], params["to"], params["reason"])
        db.execute("INSERT INTO lost SELECT epoch, ?, ?, ? FROM position", row)
        db.execute("UPDATE position SET next = ?", (params["to"] + 1,))
        say(f"events {params['from']} to {params['to']} are lost: {params['reason']}")
    elif method == "tick":
        if params["state"] not in ("live", "degraded"):
            pass  # figd does not hear the venue now: a program that trades would stop quoting here
        # Whatever CHANNELS leave out counts as seen: who comes back behind it is not told that it was lost.
        db.execute("UPDATE position SET next = ?", (params["position"],))
    elif method == "bye":
        say(f"figd says bye: {params['reason']}")
    elif "error" in line:
        raise ConnectionError(f"figd does not let us subscribe: {line['error']['message']}")
    elif "result" in line:
        begin(line["result"], db)


def begin(begun, db):
    """Takes down where a subscription begins, and what lies between that and where we stopped."""
    if not begun["resumed"]:
        say(f"figd cannot go on where we stopped ({begun['reason']}), and begins at the oldest event it has")
        # How many an epoch had that is over nobody knows.
        last = begun["from"] - 1 if begun["reason"] == "expired" else None
        db.execute("INSERT INTO lost SELECT epoch, next, ?, ? FROM position", (last, begun["reason"]))
    db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?)", (begun["epoch"], begun["from"]))


def event(params, db):
    """Takes an event down. This is where a program does its own work, in the same transaction."""
    seq, channel, message = params["seq"], params["channel"], params["message"]
    if channel == "figd.gap" and message["phase"] == "open":  # told once more after a crash
        row = (message["id"], message["cause"], ",".join(message["channels"]), message["since"])
        db.execute("INSERT OR IGNORE INTO gap (id, cause, channels, since) VALUES (?, ?, ?, ?)", row)
    elif channel == "figd.gap":
        # That it was opened may be among what was lost: `figd outages` has the rest of it.
        row = (message["id"], message["until"], str(message["reconciled"]))
        db.execute(
            "INSERT INTO gap (id, until, reconciled) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET until = excluded.until, reconciled = excluded.reconciled",
            row,
        )
    elif channel != "figd.state":  # the venue's events, and in figd.reconcile the RFQs that a gap had hidden
        row = (seq, channel, params["receivedAt"], json.dumps(message))
        db.execute("INSERT INTO event SELECT epoch, ?, ?, ?, ? FROM position", row)
    db.execute("UPDATE position SET next = ?", (seq + 1,))


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: consumer.py SOCKET FILE, for example: consumer.py /run/figd/events.sock rfqs.db")
    db = sqlite3.connect(sys.argv[2])
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(TABLES)
    while True:
        try:
            follow(sys.argv[1], db)
        except OSError as error:  # no figd there, a connection that ended, or silence
            say(f"{error}; again in {PAUSE} s")
            time.sleep(PAUSE)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
