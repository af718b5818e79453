"""No vector is lost on its way from the package to the checks."""

import nist_vectors

# name: (how many there are, how many of them are to be accepted or, of AES-CCM, have our tag)
EXPECTED = {
    "siggen": (15, 15),
    "siggen_response": (15, 15),
    "sigver": (15, 3),
    "rfc6979": (6, 4),
    "public_keys": (24, 8),
    "key_pairs": (20, 20),
    "agreement_initiator": (30, 18),
    "agreement_responder": (30, 18),
    "ccm": (700, 10),
    "hkdf": (4, 4),
    "hmac": (6, 6),
}


def test_all_vectors_that_apply_are_collected():
    found = nist_vectors.collect()
    counts = {
        name: (len(vectors), sum(vector.get("valid", vector.get("tagged", True)) for vector in vectors))
        for name, vectors in found.items()
    }
    assert counts == EXPECTED


def test_the_files_hold_no_more():
    """Counted in the text, without the parser: vectors under the headings that apply."""
    for name, heading, mark, count in (
        ("asymmetric/ECDSA/FIPS_186-3/SigGen.txt", "[P-256,SHA-256]", "Msg =", 15),
        ("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp", "[P-256,SHA-256]", "Result =", 15),
        ("asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_init.fax", "[EC - SHA256]", "Z =", 30),
        ("ciphers/AES/CCM/VTT128.rsp", "[Tlen = 8]", "CT =", 10),
    ):
        text = (nist_vectors.ROOT / name).read_text().replace("\r", "")
        part = text.split(heading + "\n", 1)[1].split("\n[", 1)[0]
        assert sum(line.startswith(mark) for line in part.splitlines()) == count
