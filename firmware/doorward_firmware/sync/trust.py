"""Following the trust object: version n + 1 is accepted if the thresholds of n and of n + 1 signed it."""

from doorward_protocol.trust import verify_trust

from doorward_firmware.store.identity import write_trust


async def accept(data, identity, suite, state):
    """Put a trust object in force; False if it is the present one. Raises ProtocolError to refuse it."""
    if data == identity.trust_object:
        return False
    await verify_trust(suite, data, identity.trust)
    write_trust(state, identity, data)
    return True
