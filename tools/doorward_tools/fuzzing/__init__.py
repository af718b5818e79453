"""Hostile bytes by the million for everything that reads bytes from outside.

`subjects` lists the parsers; each has targets: seeds (true traffic, from our encoders, from the emulated
modules, from others' libraries), mutations of its own that reach behind checksums and signatures, and a
function that must end in a value or a declared refusal and checks what the parser promises. `mutation` spoils
the seeds, `harness` counts, times and weighs. `agreement` holds our CBOR against cbor2.

Everything is seeded: a finding names its parser, seed and chunk, and comes again. `doorward bench parsers`
and `doorward bench cbor` run millions, tests a sample.
"""
