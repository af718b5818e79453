"""Seals photos, templates and pictures with one key per person (AES-256-GCM).

Each person's key is wrapped by the master key. Deleting the wrapped key (`destroy`) makes everything that was
sealed with it unreadable: that is how biometrics are deleted (D17). Backups that were made before hold the
key until they are gone; a restore from one destroys it again (backup/removed.py).
What a content is for is bound in, so that sealed contents cannot be swapped between people or purposes.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlmodel import Session

from doorward_server.people.models import PersonKey
from doorward_server.services import services_of

KEY_BYTES = 32
_NONCE_BYTES = 12


class SealBroken(Exception):  # noqa: N818 (a state of the content, not a mistake of the caller)
    """The content cannot be opened: the person's key was destroyed, or the content was changed or swapped."""


def seal(session: Session, person_id: int, purpose: str, content: bytes) -> bytes:
    """Seal a content of one person; the person's key is made with the first."""
    return _encrypt(_key(session, person_id, make=True), content, _binding(person_id, purpose))


def unseal(session: Session, person_id: int, purpose: str, sealed: bytes) -> bytes:
    """The content that was sealed for this person and purpose. Raises SealBroken."""
    return _decrypt(_key(session, person_id, make=False), sealed, _binding(person_id, purpose))


def destroy(session: Session, person_id: int) -> bool:
    """Destroy the person's key, and with it everything sealed by it. False if there was none."""
    kept = session.get(PersonKey, person_id)
    if kept is None:
        return False
    session.delete(kept)
    session.flush()
    return True


def seal_with_master(session: Session, purpose: str, content: bytes) -> bytes:
    """Seal a content that belongs to nobody yet, such as an import that waits for its approval."""
    return _encrypt(services_of(session).keys.master, content, purpose.encode())


def unseal_with_master(session: Session, purpose: str, sealed: bytes) -> bytes:
    """The content that `seal_with_master` sealed. Raises SealBroken."""
    return _decrypt(services_of(session).keys.master, sealed, purpose.encode())


def _key(session: Session, person_id: int, make: bool) -> bytes:
    master = services_of(session).keys.master
    binding = _binding(person_id, "key")
    kept = session.get(PersonKey, person_id)
    if kept is not None:
        return _decrypt(master, kept.wrapped, binding)
    if not make:
        raise SealBroken("the key of this person was destroyed: the content is deleted")
    key = secrets.token_bytes(KEY_BYTES)
    session.add(PersonKey(person_id=person_id, wrapped=_encrypt(master, key, binding)))
    session.flush()
    return key


def _binding(person_id: int, purpose: str) -> bytes:
    return f"{purpose}:{person_id}".encode()


def _encrypt(key: bytes, content: bytes, binding: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, binding)


def _decrypt(key: bytes, sealed: bytes, binding: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], binding)
    except (InvalidTag, ValueError):
        raise SealBroken("the content was changed, or belongs to somebody else") from None
