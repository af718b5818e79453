"""What `doorward bench crypto` measures, on a DeviceSuite. Plain MicroPython, for both interpreters.

Each operation is given the suite and the material of `prepare`, and fails if its result is wrong.
"""

from doorward_protocol.edhoc import Initiator

OPERATIONS = ("key_generation", "ecdh", "ecdh_x_alone", "sign", "verify", "sign_and_verify", "handshake")

MESSAGE = b"a head of a journal"


async def key_generation(suite, _):
    private, public = await suite.new_key()
    assert len(private) + len(public) == 96


async def ecdh(suite, material):
    assert await suite.shared_secret(material["private"], material["peer"]) == material["secret"]


async def ecdh_x_alone(suite, material):
    assert await suite.shared_secret(material["private"], material["peer"][:32]) == material["secret"]


async def sign(suite, material):
    """The signature itself."""
    assert await suite._unverified(material["private"], MESSAGE) == material["signature"]


async def verify(suite, material):
    """A signature of another, and the self-verification of an own one."""
    assert await suite.verify(material["public"], MESSAGE, material["signature"])


async def sign_and_verify(suite, material):
    """What sign() does, with the public key that a first signature of the same key leaves."""
    suite._signer = (material["private"], material["public"])
    assert await suite.sign(material["private"], MESSAGE) == material["signature"]


async def handshake(suite, material):
    """The unit's side of EDHOC: an ephemeral key, three Diffie-Hellman products, two of them with x alone."""
    suite._random = lambda _: material["ephemeral"]  # so that the answer that was prepared fits
    initiator = Initiator(suite, material["private"], b"unit", material["public"], lambda _: material["peer"])
    assert await initiator.message_1() == material["message_1"]
    assert await initiator.message_3(material["message_2"]) == material["message_3"]
