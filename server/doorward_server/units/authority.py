"""The server's authorities towards units, and the only place that signs with them.

*dispatch* signs manifests, commands and receipts; *server* is the static Diffie-Hellman key of the
handshake. Both are made on the first start and lie in the key folder. A unit trusts them because a trust
object names them, which the roots (2 of 3, kept elsewhere) sign; `trust_fields` says what they have to
sign.
"""

from typing import Any

from doorward_protocol import objects
from doorward_protocol.suite import run
from doorward_protocol.trust import sign_trust

from doorward_server.security.keys import KeyPair
from doorward_server.services import Services

ROOT_THRESHOLD = 2
# A manifest's entry: kind, id, version, hash, size.
Entry = tuple[int, int, int, bytes, int]


def dispatch_key(services: Services) -> KeyPair:
    """The key that signs manifests, commands and receipts."""
    return services.keys.pair("dispatch")


def server_key(services: Services) -> KeyPair:
    """The server's static Diffie-Hellman key for the handshake."""
    return services.keys.pair("server")


def sign_manifest(
    services: Services, unit: bytes, version: int, issued: int, fresh_until: int, entries: list[Entry]
) -> bytes:
    """A signed manifest for the unit (kid); times in ms since 1970 UTC."""
    rows = [list(entry) for entry in entries]
    return _sign(
        services, "manifest", unit=unit, version=version, issued=issued, fresh_until=fresh_until, entries=rows
    )


def sign_command(services: Services, **fields: Any) -> bytes:
    """A signed command; fields as in objects.OBJECTS."""
    return _sign(services, "command", **fields)


def sign_receipt(services: Services, unit: bytes, epoch: int, size: int, root: bytes, time: int) -> bytes:
    """The receipt for a journal head, to be sent after the commit."""
    return _sign(services, "receipt", unit=unit, epoch=epoch, size=size, root=root, time=time)


def open_manifest(services: Services, data: bytes) -> dict[str, Any]:
    """The fields of a manifest this server signed. Raises ProtocolError."""
    key = dispatch_key(services)
    return run(objects.verify(services.suite, "manifest", data, {key.kid: key.public}))


def trust_fields(
    services: Services, roots: list[tuple[bytes, bytes]], version: int = 1, threshold: int = ROOT_THRESHOLD
) -> dict[str, Any]:
    """What the roots (kid, public key) have to sign so that units trust this server."""
    server, dispatch = server_key(services), dispatch_key(services)
    return {
        "version": version,
        "server_kid": server.kid,
        "server_key": server.public,
        "dispatch_kid": dispatch.kid,
        "dispatch_key": dispatch.public,
        "roots": [list(root) for root in roots],
        "threshold": threshold,
    }


def make_trust(services: Services, roots: list[KeyPair]) -> bytes:
    """The first trust object, signed by all roots at hand (preparation of a bank, demo, tests)."""
    fields = trust_fields(services, [(root.kid, root.public) for root in roots])
    return run(sign_trust(services.suite, [(root.private, root.kid) for root in roots], **fields))


def _sign(services: Services, name: str, **fields: Any) -> bytes:
    key = dispatch_key(services)
    return run(objects.sign(services.suite, key.private, key.kid, name, **fields))
