"""Runs inside a container beside the services: one connection that writes numbered rows, one that reads, for ever.

Lines on standard output, each at once: `ack NUMBER MOMENT SERVER`, `lost MOMENT REASON` (a write without an answer),
`read MOMENT`, `miss MOMENT REASON` (a query without an answer). A number is never used twice.
"""

import contextlib
import os
import select
import sys
import threading
import time

import psycopg2
from psycopg2 import extensions

PATIENCE = 3.0
OUT = threading.Lock()
PASSWORD = sys.stdin.readline().strip()


def say(*words):
    with OUT:
        sys.stdout.write(" ".join(str(word) for word in words) + "\n")
        sys.stdout.flush()


def wait(connection):
    """No server-side time-out: Postgres calls a commit that stopped waiting for its replica a success."""
    end = time.monotonic() + PATIENCE
    while (state := connection.poll()) != extensions.POLL_OK:
        if state not in (extensions.POLL_READ, extensions.POLL_WRITE):
            raise psycopg2.OperationalError(f"bad state {state}")
        readers, writers = ([connection.fileno()], []) if state == extensions.POLL_READ else ([], [connection.fileno()])
        if not any(select.select(readers, writers, [], max(0.0, end - time.monotonic()))):
            raise psycopg2.OperationalError("no answer in time")


def connect(port):
    made = psycopg2.connect(
        host="db_haproxy", port=port, user="gha_admin", password=PASSWORD, dbname="devstats", connect_timeout=2
    )
    made.autocommit = True
    return made


def write():
    number, connection = int(os.environ["FIRST"]), None
    while True:
        number += 1
        began = time.monotonic()
        try:
            connection = connection or connect(5000)
            with connection.cursor() as cursor:
                statement = "insert into writes (number) values (%s) returning host(inet_server_addr())"
                cursor.execute(statement, [number])
                server = cursor.fetchone()[0]
                assert cursor.statusmessage == "INSERT 0 1", cursor.statusmessage
            say("ack", number, time.time(), server)
            time.sleep(max(0.0, 0.01 - (time.monotonic() - began)))
        except psycopg2.Error as error:
            say("lost", time.time(), str(error).strip().splitlines()[:1])
            connection = closed(connection)
            time.sleep(0.05)


def read():
    connection = None
    while True:
        try:
            connection = connection or connect(5001)
            with connection.cursor() as cursor:
                cursor.execute("select max(number) from writes")
                cursor.fetchone()
            say("read", time.time())
            time.sleep(0.1)
        except psycopg2.Error as error:
            say("miss", time.time(), str(error).strip().splitlines()[:1])
            connection = closed(connection)
            time.sleep(0.5)


def closed(connection):
    if connection is not None:
        with contextlib.suppress(psycopg2.Error):
            connection.close()


if __name__ == "__main__":
    extensions.set_wait_callback(wait)
    threading.Thread(target=read, daemon=True).start()
    write()
