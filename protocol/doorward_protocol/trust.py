"""The trust object: who may speak for the server and for dispatch, signed by the roots (2 of 3).

It is a CBOR array of COSE_Sign1 over one and the same payload, since roots sign apart from one another.
Version n + 1 needs the threshold of the roots of version n and that of its own roots, so that neither a thief
of old keys nor a careless new ceremony can take a unit over. It is public and names the server's credential,
so a unit accepts it before the handshake.
"""

from doorward_protocol import cbor, cose, objects
from doorward_protocol.errors import BAD_SIGNATURE, MALFORMED, OLD_VERSION, UNKNOWN_KEY, ProtocolError


async def sign_trust(suite, signers, **fields):
    """Return a trust object signed by signers, a list of (private, kid), over fields of the row `trust`."""
    payload = cbor.encode(objects.OBJECT_TABLE.pack("trust", **fields))
    signed = []
    for private, kid in signers:  # MicroPython has no await inside a comprehension
        signed.append(await cose.sign1(suite, private, kid, "trust", payload))
    return join_trust(signed)


def join_trust(signed):
    """Return one trust object from COSE_Sign1s (bytes) made apart. Raises MALFORMED if they differ."""
    if not signed or len({cose.peek_payload(one) for one in signed}) != 1:
        raise ProtocolError(MALFORMED, "signatures over different trust objects")
    return cbor.encode(list(signed))


async def verify_trust(suite, data, current=None):
    """Return the fields of a trust object that may follow current (fields of the one in force).

    current is None at provisioning alone, where the operator compares the roots: the object then has to be
    signed by its own roots. Raises OLD_VERSION unless the version is exactly the next one, UNKNOWN_KEY for a
    signature by anybody else, BAD_SIGNATURE below a threshold.
    """
    signed = cbor.decode(data)
    if not isinstance(signed, list) or not signed or not all(isinstance(one, bytes) for one in signed):
        raise ProtocolError(MALFORMED, "no trust object")
    payload = cose.peek_payload(signed[0])
    fields = objects.payload_fields("trust", payload)
    new_roots = _roots(fields)
    old_roots = new_roots if current is None else _roots(current)
    if current is not None and fields["version"] != current["version"] + 1:
        raise ProtocolError(OLD_VERSION, "trust %d after %d" % (fields["version"], current["version"]))
    known = dict(new_roots)
    known.update(old_roots)  # an old kid never changes its key
    for kid in new_roots:
        if known[kid] != new_roots[kid]:
            raise ProtocolError(UNKNOWN_KEY, "a root changed its key but not its kid")
    if len(signed) > len(known):
        raise ProtocolError(MALFORMED, "more signatures than roots")
    signers = []
    for one in signed:
        if await cose.verify1(suite, "trust", one, known) != payload:
            raise ProtocolError(MALFORMED, "signatures over different trust objects")
        signers.append(cose.peek_kid(one))
    for roots, threshold in ((new_roots, fields["threshold"]), (old_roots, (current or fields)["threshold"])):
        if len([kid for kid in roots if kid in signers]) < threshold:
            raise ProtocolError(BAD_SIGNATURE, "too few roots signed the trust object")
    return fields


def _roots(fields):
    roots = {kid: key for kid, key in fields["roots"]}  # noqa: C416 - rows are lists
    if len(roots) != len(fields["roots"]) or not 1 <= fields["threshold"] <= len(roots):
        raise ProtocolError(MALFORMED, "roots or threshold of a trust object")
    return roots
