"""Who this unit is: its number, its three key pairs, whom it trusts, its server, its sensors' passwords.

Made once at provisioning and kept in `State`; a unit is provisioned on its own flash and on an image alike:

    identity = await create(suite)
    identity.trust_object = trust             # bytes, whose roots the operator has compared
    identity.host, identity.port, identity.path = "192.0.2.1", 8000, "/link"
    write(State(partition), identity)

The private keys never leave the unit. On production boards the partition is encrypted by the chip.
"""

from doorward_protocol import cbor, cose, objects
from doorward_protocol.errors import BAD_KEY, MALFORMED, ProtocolError

_IDENTITY = "identity"  # names in State
_TRUST = "trust"
_SERVER = "server"
_PASSWORDS = "passwords"

KID = 8  # bytes of a unit's number


class Identity:
    """unit: its number, the kid of all three keys (8 bytes); dh, signing, bundle: (private, public);
    trust_object: the accepted trust object (bytes); host, port, path: of the server's link;
    passwords: {name of a fingerprint sensor: its password, 32 bits}."""

    __slots__ = (
        "_trust",
        "_trust_object",
        "bundle",
        "dh",
        "host",
        "passwords",
        "path",
        "port",
        "signing",
        "unit",
    )

    def __init__(self, unit, dh, signing, bundle):
        self.unit, self.dh, self.signing, self.bundle = unit, dh, signing, bundle
        self._trust_object, self._trust = b"", {}
        self.host, self.port, self.path = "", 0, "/link"
        self.passwords = {}

    @property
    def trust_object(self):
        """The trust object in force. Setting it verifies nothing: see `sync.trust`."""
        return self._trust_object

    @trust_object.setter
    def trust_object(self, data):
        signed = cbor.decode(data)
        if not isinstance(signed, list) or not signed:
            raise ProtocolError(MALFORMED, "no trust object")
        self._trust = objects.payload_fields("trust", cose.peek_payload(signed[0]))
        self._trust_object = data

    @property
    def trust(self):
        """The fields of the trust object in force."""
        return self._trust

    def dispatch_keys(self):
        """Return {kid: public} of whoever may sign manifests, commands and receipts."""
        return {self.trust["dispatch_kid"]: self.trust["dispatch_key"]}

    def server_key(self, kid):
        """Return the server's public key if kid is the server's, else None."""
        return self.trust["server_key"] if kid == self.trust["server_kid"] else None


async def create(suite):
    """Return the Identity of a new unit, with a random number and fresh keys."""
    unit = suite.random(KID)
    return Identity(unit, await suite.new_key(), await suite.new_key(), await suite.new_key())


def write(state, identity):
    """Keep an identity. What makes a unit provisioned is written last."""
    state.set(_TRUST, identity.trust_object)
    state.set(_SERVER, [identity.host, identity.port, identity.path])
    state.set(_PASSWORDS, identity.passwords)
    state.set(_IDENTITY, [identity.unit, list(identity.dh), list(identity.signing), list(identity.bundle)])


def write_trust(state, identity, data):
    """Keep a trust object that has been verified as the follower of the one in force."""
    state.set(_TRUST, data)
    identity.trust_object = data


def read(state):
    """Return the Identity kept in state. Raises BAD_KEY if the unit was never provisioned."""
    kept = state.get(_IDENTITY)
    if kept is None:
        raise ProtocolError(BAD_KEY, "this unit has no identity; provision it")
    unit, dh, signing, bundle = kept
    identity = Identity(unit, tuple(dh), tuple(signing), tuple(bundle))
    identity.trust_object = state.get(_TRUST)
    identity.host, identity.port, identity.path = state.get(_SERVER)
    identity.passwords = state.get(_PASSWORDS)
    return identity
