"""Every storage that Kannel may have its records in is read as Kannel 1.4.5 wrote it."""

import getpass
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from smppgw.kannel.dlr_storage import DlrStorageError, Record, read, spooled, statement
from smppgw.kannel.model import Connection, Core, DlrDb, Kannel
from smppgw.ports import free_port
from tests.kit import Process, listening
from tests.smppgw.postgres import postgres

TABLE = DlrDb(
    id="mine", table="dlr", field_smsc="smsc", field_timestamp="ts", field_source="source", field_destination="dest",
    field_service="service", field_url="url", field_mask="mask", field_status="status", field_boxc_id="box",
)  # fmt: skip
RECORD = Record(b"up", b"id1", b"+1234", b"41791234567", b"tester", b"http://h/dlr?n=0&d=%d", 31, b"my box")

COLUMNS = (
    "smsc varchar(40), ts varchar(40), source varchar(40), dest varchar(40), service varchar(40), url varchar(255), "
    "mask integer, status integer, box varchar(40)"
)
ROW = tuple(value if isinstance(value, int) else value.decode() for value in RECORD)
VALUES = (*ROW[:7], 4, ROW[7])

SPOOLED = bytes.fromhex(
    "00000002 00000004 31323334 0000000b 3431373931323334353637 ffffffffffffffffffffffff 00000002 7570 ffffffff"
    "00000003 696431 00000006 746573746572 ffffffff 00000024"
    "36313739623330312d316338642d343361372d383366382d373466623831383835636461 00000004"
    "ffffffffffffffffffffffffffffffffffffffffffffffff 0000001f 00000023"
    "687474703a2f2f3132372e302e302e313a33333133352f646c723f6e3d3026643d2564 ffffffffffffffffffffffffffffffff 00000000"
    "ffffffffffffffffffffffffffffffffffffffffffffffff"
)
"""A file of a spool, as bearerbox wrote it."""


def set_up(kind: str, connection: Connection) -> Kannel:
    return Kannel(core=Core(dlr_storage=kind), dlr_db=TABLE, connections=(replace(connection, kind=kind, id="mine"),))


def test_a_table_of_sqlite_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dlr.db"
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE dlr ({COLUMNS})")
        database.execute("INSERT INTO dlr VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", VALUES)
        database.execute("INSERT INTO dlr (smsc, ts, mask) VALUES ('up', 'id2', NULL)")
    database.close()
    assert list(read(set_up("sqlite3", Connection(database=str(path))))) == [
        RECORD,
        Record(b"up", b"id2", b"", b"", b"", b"", 0, b""),
    ]


KILLED = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN")
database.execute("DELETE FROM dlr")
database.executemany("INSERT INTO dlr (smsc) VALUES (?)", [("x" * 1000,)] * 100)
os._exit(0)
"""


def test_what_a_kannel_that_was_killed_had_half_written_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "dlr.db"
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE dlr ({COLUMNS})")
        database.execute("INSERT INTO dlr VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", VALUES)
    database.close()
    subprocess.run([sys.executable, "-c", KILLED, path], check=True)
    assert Path(f"{path}-journal").stat().st_size
    assert list(read(set_up("sqlite3", Connection(database=str(path))))) == [RECORD]


def test_a_spool_is_read(tmp_path: Path) -> None:
    directory = tmp_path / "68"
    directory.mkdir()
    (directory / "b3ca75b2c89a9eb3").write_bytes(SPOOLED)
    (directory / "empty").mkdir()
    kannel = Kannel(core=Core(dlr_storage="spool", dlr_spool=str(tmp_path)))
    url = b"http://127.0.0.1:33135/dlr?n=0&d=%d"
    assert list(read(kannel)) == [Record(b"up", b"id1", b"1234", b"41791234567", b"tester", url, 31, b"")]
    (directory / "b3ca75b2c89a9eb4").write_bytes(SPOOLED[:100])
    with pytest.raises(DlrStorageError, match="b3ca75b2c89a9eb4 is no message of Kannel's"):
        list(read(kannel))


@pytest.mark.parametrize("size", range(0, 190, 3))
def test_a_file_that_is_cut_is_refused(size: int) -> None:
    with pytest.raises((ValueError, struct.error)):
        spooled(SPOOLED[:size])


@pytest.fixture
def redis() -> Iterator[int]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    server = Process(["redis-server", "--port", str(port), "--save", "", "--requirepass", "secret"], name="redis")
    listening(port)
    yield port
    server.close()


def test_hashes_of_redis_are_read(redis: int) -> None:
    url = "http%3A%2F%2Fh%2Fdlr%3Fn%3D0%26d%3D%25d"  # the one field that Kannel encodes
    fields = dict(zip(("smsc", "ts", "source", "dest", "service", "url", "mask", "box"), ROW, strict=True)) | {
        "url": url
    }
    words = [str(word) for pair in fields.items() for word in pair]
    command = ["redis-cli", "-p", str(redis), "-a", "secret", "--no-auth-warning", "-n", "3"]
    for key in ("dlr:up:id1", "dlr:up:id2:41791234567"):
        subprocess.run([*command, "HSET", key, *words], check=True, capture_output=True)
    subprocess.run([*command, "SET", "dlr:Count", "2"], check=True, capture_output=True)
    subprocess.run([*command, "HSET", "other:up:id1", *words], check=True, capture_output=True)
    where = Connection(host="127.0.0.1", port=redis, password="secret", database="3")
    assert list(read(set_up("redis", where))) == [RECORD, RECORD]
    with pytest.raises(DlrStorageError, match="redis server: WRONGPASS"):
        list(read(set_up("redis", replace(where, password="wrong"))))


def test_a_table_of_postgres_is_read() -> None:
    import psycopg

    with postgres() as url:
        home = url.partition("?host=")[2]
        where = Connection(host=home, username="postgres", database="postgres")
        with psycopg.connect(url) as database:
            database.execute(f"CREATE TABLE dlr ({COLUMNS})".encode())
            database.execute("INSERT INTO dlr VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", VALUES)
        assert list(read(set_up("pgsql", where))) == [RECORD]
        with pytest.raises(DlrStorageError, match=r"the pgsql database: .*nowhere"):
            list(read(set_up("pgsql", replace(where, database="nowhere"))))


@pytest.fixture
def mysql(tmp_path: Path) -> Iterator[int]:
    install = shutil.which("mariadb-install-db")
    if install is None:
        pytest.skip("MariaDB is not installed")
    data, port = tmp_path / "mariadb", free_port()
    user = f"--user={getpass.getuser()}"
    making = [install, "--no-defaults", user, f"--datadir={data}", "--skip-test-db"]
    subprocess.run([*making, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    first = tmp_path / "first.sql"
    first.write_text("CREATE DATABASE kannel;\nGRANT ALL ON kannel.* TO kannel@'127.0.0.1' IDENTIFIED BY 'secret';\n")
    where = [f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", f"--socket={data}/socket"]
    server = Process(["mariadbd", "--no-defaults", user, *where, f"--init-file={first}"], name="mariadbd")
    server.expect_line("ready for connections")
    yield port
    server.close()


def test_a_table_of_mysql_is_read(mysql: int) -> None:
    pymysql = import_module("pymysql")
    where = Connection(host="127.0.0.1", port=mysql, username="kannel", password="secret", database="kannel")
    database = pymysql.connect(host="127.0.0.1", port=mysql, user="kannel", password="secret", database="kannel")
    with database, database.cursor() as cursor:
        cursor.execute(f"CREATE TABLE dlr ({COLUMNS})")
        cursor.execute("INSERT INTO dlr VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", VALUES)
        database.commit()
    assert list(read(set_up("mysql", where))) == [RECORD]
    with pytest.raises(DlrStorageError, match=r"the mysql database: .*Access denied"):
        list(read(set_up("mysql", replace(where, password="wrong"))))


def test_names_are_quoted_as_kannel_does() -> None:
    odd = replace(TABLE, table="my dlr", field_timestamp="timestamp")
    assert statement("mysql", odd) == (
        "SELECT `smsc`, `timestamp`, `source`, `dest`, `service`, `url`, `mask`, `box` FROM `my dlr`"
    )
    assert statement("pgsql", odd) == 'SELECT smsc, timestamp, source, dest, service, url, mask, box FROM "my dlr"'


UNREADABLE = {
    "internal is in bearerbox's memory alone": Kannel(),
    "cassandra cannot be read": Kannel(core=Core(dlr_storage="cassandra")),
    "there is no group dlr-db": Kannel(core=Core(dlr_storage="mysql")),
    "dlr-db has no field-url": Kannel(core=Core(dlr_storage="mysql"), dlr_db=replace(TABLE, field_url=None)),
    "there is no group pgsql-connection with id = mine": Kannel(
        core=Core(dlr_storage="pgsql"), dlr_db=TABLE, connections=(Connection(kind="mysql", id="mine"),)
    ),
    "there is no database /nowhere": set_up("sqlite3", Connection(database="/nowhere")),
    "the redis server: ": set_up("redis", Connection(host="127.0.0.1", port=1)),
    "no dlr-spool": Kannel(core=Core(dlr_storage="spool")),
    "there is no directory /nowhere": Kannel(core=Core(dlr_storage="spool", dlr_spool="/nowhere")),
}


@pytest.mark.parametrize("wrong", UNREADABLE)
def test_what_cannot_be_read_says_why(wrong: str) -> None:
    with pytest.raises(DlrStorageError) as caught:
        list(read(UNREADABLE[wrong]))
    assert wrong in str(caught.value)
