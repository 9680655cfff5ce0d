"""Follows a book exactly once: the position stands in the same transaction as the work.

DAICHO_BOOKS=http://127.0.0.1:7400/v1/books/shop DAICHO_KEY=dk_... python3 follow.py orders.db
"""

import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.request

BOOKS = os.environ["DAICHO_BOOKS"].rstrip("/")
KEY = os.environ["DAICHO_KEY"]


def page(after):
    """The next events, and how far the ledger has looked."""
    request = urllib.request.Request(
        f"{BOOKS}/events?after={after}&limit=100", headers={"Authorization": f"Bearer {KEY}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main(path):
    database = sqlite3.connect(path)
    database.executescript(
        """
        CREATE TABLE IF NOT EXISTS seen (position INTEGER PRIMARY KEY, type TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS cursor (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL);
        INSERT OR IGNORE INTO cursor VALUES (1, 0);
        """
    )
    while True:
        (after,) = database.execute("SELECT position FROM cursor").fetchone()
        try:
            answer = page(after)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 500, 502, 503):
                raise  # no key, no right, a position that is not there: nothing that waiting mends
            time.sleep(0.2)
            continue
        except OSError:
            time.sleep(0.2)
            continue
        if answer["scanned_to"] == after:
            time.sleep(0.2)
            continue
        with database:  # one transaction: the work, and how far it has come
            for event in answer["events"]:
                # A second time would break the key: it never comes.
                database.execute(
                    "INSERT INTO seen VALUES (?, ?)", (int(event["position"]), event["type"])
                )
            database.execute("UPDATE cursor SET position = ?", (answer["scanned_to"],))


if __name__ == "__main__":
    main(sys.argv[1])
