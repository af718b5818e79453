"""Proofs by exhaustion: the firmware's pure logic in small models of the world, every state searched.

search.py            breadth first, with the shortest way to whatever is wrong
controller.py        the firmware's part: interlock and guard, time reduced to "this timer has run out"
building.py          the world's part: doors, locks, people, buttons, power, after docs/hardware.md
claims.py            what must hold, written from the requirement
interlock_proof.py   all of it together, for every site type
"""
