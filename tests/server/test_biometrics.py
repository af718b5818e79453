"""Photos and templates at rest: sealed per person, bound to their purpose, gone with the key."""

import stat

import pytest
import server_bank as bank
from doorward_server.audit.models import Decision
from doorward_server.fleet.models import Site
from doorward_server.handovers import pictures
from doorward_server.handovers.models import Picture
from doorward_server.people import service as people
from doorward_server.people.models import Finger, Person, PersonKey
from doorward_server.security import biometrics
from doorward_server.security.biometrics import SealBroken
from doorward_server.security.keys import KeyFileError, KeyStore
from doorward_server.units.service import register_unit
from sqlmodel import col, select


@pytest.fixture
def escort(staffed, session) -> Person:
    return session.get(Person, staffed.crew[0].id)


def test_what_is_sealed_opens_again(session, escort):
    assert people.photo_of(session, escort) == bank.PHOTO
    (finger,) = people.fingers_of(session, escort)
    assert people.template_of(session, finger) == bank.TEMPLATE


def test_the_database_file_holds_neither_photo_nor_template(services, staffed):
    stored = b"".join(path.read_bytes() for path in services.settings.data.glob("doorward.sqlite*"))
    assert bank.PHOTO not in stored
    assert bank.TEMPLATE[:32] not in stored


def test_each_sealing_is_different(session, escort):
    seals = {biometrics.seal(session, escort.id, "photo", b"same") for _ in range(5)}
    assert len(seals) == 5


@pytest.mark.parametrize("change", [0, 12, -1])
def test_a_changed_seal_does_not_open(session, escort, change):
    sealed = bytearray(escort.photo)
    sealed[change] ^= 1
    with pytest.raises(SealBroken):
        biometrics.unseal(session, escort.id, "photo", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(12)])
def test_a_cut_seal_does_not_open(session, escort, sealed):
    with pytest.raises(SealBroken):
        biometrics.unseal(session, escort.id, "photo", sealed)


def test_contents_cannot_be_swapped_between_people_or_purposes(session, escort, staffed):
    with pytest.raises(SealBroken):
        biometrics.unseal(session, staffed.crew[1].id, "photo", escort.photo)
    with pytest.raises(SealBroken):
        biometrics.unseal(session, escort.id, "finger", escort.photo)


def test_keys_cannot_be_swapped_between_people(session, escort, staffed):
    one, other = session.get(PersonKey, escort.id), session.get(PersonKey, staffed.crew[1].id)
    one.wrapped = other.wrapped
    session.add(one)
    with pytest.raises(SealBroken):
        people.photo_of(session, escort)


@pytest.mark.shows("D17")
def test_removing_somebody_destroys_the_key_and_says_so(session, escort):
    sealed = escort.photo
    people.remove_person(session, None, escort)
    with pytest.raises(SealBroken):
        biometrics.unseal(session, escort.id, "photo", sealed)
    assert people.photo_of(session, escort) is None
    assert session.exec(select(Finger).where(Finger.person_id == escort.id)).all() == []
    kinds = [row.kind for row in session.exec(select(Decision).order_by(col(Decision.index)))]
    assert kinds[-2:] == ["person_removed", "person_key_destroyed"]


@pytest.mark.shows("D17")
def test_a_picture_of_somebody_who_has_been_removed_is_deleted_as_it_comes(session, escort, staffed):
    """A unit may have taken it before, and report it days later: no key would ever delete it."""
    site = session.get(Site, staffed.sites["north"].id)
    unit = register_unit(session, b"unit-001", site, b"\1" * 64, b"\2" * 64, b"\3" * 64)
    picture = Picture(hash=bytes(32), unit_id=unit.id, person_id=escort.id, time=0)
    people.remove_person(session, None, escort)
    pictures.keep(session, picture, b"\xff\xd8 a face")
    session.flush()
    assert picture.received is not None, "it has come, and is not asked for again"
    assert picture.content == b"P"
    assert pictures.content_of(session, picture) is None


def test_key_files_are_for_the_server_alone(services):
    folder = services.settings.keys
    assert {path.name for path in folder.iterdir()} == {"master", "server", "dispatch", "journal"}
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_file_that_others_can_read_stops_the_server(services):
    (services.settings.keys / "master").chmod(0o640)
    with pytest.raises(KeyFileError, match="0600"):
        KeyStore(services.settings.keys, services.suite)


def test_a_damaged_key_file_stops_the_server(services):
    (services.settings.keys / "master").write_bytes(b"short")
    with pytest.raises(KeyFileError, match="backup"):
        KeyStore(services.settings.keys, services.suite)


def test_a_key_is_made_once(services):
    again = KeyStore(services.settings.keys, services.suite)
    assert again.pair("dispatch") == services.keys.pair("dispatch")
    assert again.master == services.keys.master
