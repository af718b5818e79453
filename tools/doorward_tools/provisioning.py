"""Makes a simulated unit's flash on the bench: identity first, later its first manifest with all blobs.

Both use the firmware's own stores on flash images, so that the unit mounts what it would have written
itself. A commissioned unit has been set up once before it is hung on the wall: its clock has a floor, its
prompts are there. An uncommissioned one fetches everything over its first connection.
"""

import shutil
from pathlib import Path

from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_firmware.sync.manifest import Desired
from doorward_protocol.records import CLOCK_SURE
from doorward_protocol.suite import run as finish
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_server.fleet.models import Site
from doorward_server.services import Services
from doorward_server.units import manifests
from doorward_server.units import service as units_service
from doorward_server.units.models import Unit
from doorward_simulator.flash import Partition
from doorward_simulator.preparation import UnitPlace
from doorward_simulator.unit import blank_flash, load_flash, save_flash
from sqlmodel import Session, select

from doorward_tools.foundation import blob

SENSORS = ("outer_fingerprint", "inner_fingerprint")


class BenchClock:
    """The firmware's clock on the bench: sure, and standing still."""

    def __init__(self, milliseconds: int):
        self._milliseconds = milliseconds

    def now(self) -> int:
        return self._milliseconds

    def state(self) -> int:
        return CLOCK_SURE


def provision(session: Session, folder: Path, code: str, trust: bytes, host: str, port: int) -> UnitPlace:
    """A new unit for a site: its keys on its flash under `folder`, their public halves registered."""
    services: Services = session.info["services"]
    identity = finish(identities.create(OpenSSLSuite(services.random)))
    identity.trust_object = trust
    identity.host, identity.port = host, port
    identity.passwords = {name: int.from_bytes(services.random(4), "big") for name in SENSORS}
    flash = blank_flash(code)
    identities.write(State(Partition(flash["state"])), identity)
    save_flash(flash, folder / code)
    site = session.exec(select(Site).where(Site.code == code)).one()
    keys = (identity.dh[1], identity.signing[1], identity.bundle[1])
    units_service.register_unit(session, identity.unit, site, *keys)
    return UnitPlace(code, identity.unit, folder / code, identity.passwords)


def commission(session: Session, place: UnitPlace, prompts: Path) -> None:
    """Give a provisioned unit its newest manifest and all its blobs; `prompts`: an image to begin with."""
    services: Services = session.info["services"]
    unit = session.exec(select(Unit).where(Unit.kid == place.kid)).one()
    manifest = manifests.newest(session, unit)
    if manifest is None:
        raise RuntimeError(f"{place.site}: the unit has no manifest")
    shutil.copyfile(prompts, place.flash / "blobs.bin")
    flash = load_flash(place.flash, place.site)
    partitions = {label: Partition(memory) for label, memory in flash.items()}
    suite, clock = OpenSSLSuite(services.random), BenchClock(services.clock.milliseconds())
    state, blobs = State(partitions["state"]), Blobs(partitions["blobs"])
    journal = Journal(partitions["journal"], clock, suite, state)
    desired = Desired(identities.read(state), suite, clock, journal, blobs, state)
    for name in sorted(manifests.blobs_of(session, manifest)):
        blobs.put(blob(session, name), own=False)
    finish(desired.accept(manifest.object))
    if not desired.is_complete():
        raise RuntimeError(f"{place.site}: the unit lacks {len(desired.missing())} blobs on the bench")
    save_flash(flash, place.flash)
