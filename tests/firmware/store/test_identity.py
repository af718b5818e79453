"""A unit's identity on its flash: provisioned once, read at every start, complete or absent."""

import pytest
from doorward_firmware.store import identity
from doorward_firmware.store.state import State
from doorward_protocol.errors import BAD_KEY, ProtocolError
from doorward_protocol.suite import run
from doorward_protocol.trust import sign_trust
from doorward_simulator.flash import PowerCut
from flash_board import Board


def provisioned(board):
    suite = board.suite
    root = run(suite.new_key())
    server, dispatch = run(suite.new_key()), run(suite.new_key())
    made = run(identity.create(suite))
    made.trust_object = run(
        sign_trust(
            suite,
            [(root[0], b"root   1")],
            version=1,
            server_kid=b"server 1",
            server_key=server[1],
            dispatch_kid=b"dispatch",
            dispatch_key=dispatch[1],
            roots=[[b"root   1", root[1]]],
            threshold=1,
        )
    )
    made.host, made.port, made.path = "192.0.2.7", 8443, "/link"
    made.passwords = {"outer_fingerprint": 0xCAFEBABE, "inner_fingerprint": 7}
    return made


def test_everything_survives_a_restart():
    board = Board()
    made = provisioned(board)
    identity.write(State(board.state), made)
    read = identity.read(State(board.state))
    for name in (
        "unit",
        "dh",
        "signing",
        "bundle",
        "trust_object",
        "trust",
        "host",
        "port",
        "path",
        "passwords",
    ):
        assert getattr(read, name) == getattr(made, name), name
    assert read.dispatch_keys() == {b"dispatch": made.trust["dispatch_key"]}
    assert read.server_key(b"server 1") == made.trust["server_key"]
    assert read.server_key(b"server 2") is None


def test_units_and_their_keys_all_differ():
    board = Board()
    one, two = run(identity.create(board.suite)), run(identity.create(board.suite))
    keys = {key[0] for unit in (one, two) for key in (unit.dh, unit.signing, unit.bundle)}
    assert len(keys) == 6
    assert one.unit != two.unit


def test_a_unit_without_an_identity_says_so():
    with pytest.raises(ProtocolError, match="provision") as refusal:
        identity.read(State(Board().state))
    assert refusal.value.reason == BAD_KEY


def test_a_cut_leaves_no_half_identity():
    cut_at, cut = 0, True
    while cut:
        board, cut = Board(seed=cut_at), False
        made = provisioned(board)
        state = State(board.state)
        board.flash.cut_after(cut_at)
        try:
            identity.write(state, made)
        except PowerCut:
            cut = True
        board.flash.power_on()
        try:
            assert identity.read(State(board.state)).signing == made.signing
        except ProtocolError:
            assert cut
        cut_at += 1
    assert cut_at > 5
