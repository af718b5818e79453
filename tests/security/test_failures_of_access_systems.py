"""What opened Suprema's cloud in 2019, tried against the server through its own doors."""

import base64
import hashlib
import stat
import zlib

import server_bank  # pyright: ignore[reportMissingImports]
from doorward_server.people.models import Person, PersonKey
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from doorward_server.settings import Settings
from sqlmodel import Session, select

PUBLIC = {"/api/health", "/api/login"}
PASSWORD = "Correct-horse-battery-7-staple"
SECOND_HALF = "and its other half"


def files_of(services) -> bytes:
    """All bytes at rest, but for the keys."""
    folder = services.settings.data
    return b"".join(
        file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.parent.name != "keys"
    )


def disguises(secret: bytes) -> list[bytes]:
    """A secret as careless programs keep it."""
    plain = [secret, secret[::-1], bytes(byte ^ 0xFF for byte in secret), zlib.compress(secret)]
    return (
        plain + [one.hex().encode() for one in plain] + [base64.b64encode(one).rstrip(b"=") for one in plain]
    )


def hashes(secret: bytes) -> list[bytes]:
    """What a list of common passwords is held against; a template's SHA-256 only names its sealed blob."""
    found = [hashlib.new(name, secret).digest() for name in ("md5", "sha1", "sha256", "sha512")]
    return found + [one.hex().encode() for one in found]


def test_suprema_open_database(tmp_path, app, client, staffed, services):
    """Nobody without a login reads anything; the server listens at home only, its files are its own."""
    paths = app.openapi()["paths"]
    assert set(paths) > PUBLIC
    for path, operations in paths.items():
        for method in operations:
            answer = client.request(method, path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401 or path in PUBLIC, (method, path, answer.text)
            assert b"E001" not in answer.content
    assert Settings(data=tmp_path).host == "127.0.0.1"
    for file in services.settings.data.glob("doorward.sqlite*"):
        assert not file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), file


def test_suprema_raw_prints(staffed, services, log_in):
    """Templates and photos are ciphertext in every file; removing a person destroys what opens them."""
    stored = files_of(services)
    for secret in (server_bank.TEMPLATE, server_bank.PHOTO):
        assert [one for one in disguises(secret) if one in stored] == []
    person = staffed.crew[0]
    with services.database.reading() as session:
        sealed, wrapped = session.get(Person, person.id).photo, session.get(PersonKey, person.id).wrapped
    assert sealed in stored
    answer = log_in(staffed.users[Role.ADMINISTRATOR]).delete(f"/api/people/{person.id}")
    assert answer.status_code == 204, answer.text
    with services.database.writing() as session:
        kept = session.get(PersonKey, person.id)
        assert kept is None or not kept.wrapped
    services.database.close()  # the last one out empties the log of writes into the database
    assert wrapped not in files_of(services)


def test_suprema_plain_passwords(staffed, services, log_in, client):
    """A password set over the API is in no file, in no disguise, and comes back in no answer."""
    administrator = log_in(staffed.users[Role.ADMINISTRATOR])
    account = {"login": "newcomer", "name": "N", "role": "auditor", "password": PASSWORD}
    with services.database.writing() as session:
        second = User(login="second", name="S", role=Role.ADMINISTRATOR, created_at=services.clock.now())
        session.add(second)
        session.flush()
    made = administrator.post("/api/users", json=account)
    number = made.json()["approval_id"]
    waiting = files_of(services)
    agreed = log_in(second).post(
        f"/api/approvals/{number}/decision", json={"approve": True, "second_half": SECOND_HALF}
    )
    assert agreed.status_code == 200, agreed.text
    assert (
        client.post("/api/login", json={"login": "newcomer", "password": PASSWORD + SECOND_HALF}).status_code
        == 200
    )
    stored = waiting + files_of(services)
    for said in (PASSWORD, SECOND_HALF, PASSWORD + SECOND_HALF):
        secret = said.encode()
        assert [one for one in disguises(secret) + hashes(secret) if one in stored] == []
    with services.database.reading() as session:
        digest = stored_hash(session, "newcomer")
    assert digest.startswith("$argon2id$")
    for answer in (made, agreed, administrator.get("/api/users"), administrator.get("/api/audit/decisions")):
        assert PASSWORD not in answer.text
        assert digest not in answer.text


def stored_hash(session: Session, login: str) -> str:
    return session.exec(select(User).where(User.login == login)).one().password_hash
