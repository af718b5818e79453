"""What the server has stored of a unit, read past its services; and a record that any unit may write."""

from doorward_protocol import merkle
from sqlmodel import func, select


def rows(services, *columns):
    with services.database.reading() as session:
        return session.exec(select(*columns)).all()


def count(services, model) -> int:
    with services.database.reading() as session:
        return session.exec(select(func.count()).select_from(model)).one()


def door(unit, event: int = 1) -> int:
    return unit.append("door", door=1, event=event, cause=1)


def begin_epoch(unit, previous_size: int) -> None:
    """The unit goes on in another epoch that names a head of this one."""
    root = merkle.root_of([merkle.leaf_hash(entry) for entry in unit.entries[:previous_size]])
    previous, unit.epoch, unit.entries = unit.epoch, unit.epoch + 1, []
    unit.say("epoch", previous_epoch=previous, previous_size=previous_size, previous_root=root, cause=2)
