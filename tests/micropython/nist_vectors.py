"""NIST's vectors from the package cryptography-vectors, converted for the portable checks at test time.

All that apply to the one suite: P-256, SHA-256, AES-CCM with nonces of 13 bytes. Of AES-CCM, only VTT has
tags of our 8 bytes. Counter mode does not know the tag's length, so the others with our nonce still judge the
ciphertext before the tag; the tag of VTT, and RFC 3610 in crypto.json, judge the rest. What does not apply:
other curves and hashes (so all signatures of FIPS 186-2), and the vectors of concatenation KDFs.
"""

import re
from pathlib import Path

import cryptography_vectors
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ROOT = Path(cryptography_vectors.__file__).parent


def records(path):
    """Yield (heading, {name: text}) for each block of a response file; names that stand in a block of their
    own hold until their next value. Headings give their values too."""
    held = {}
    heading = ""
    for block in re.split(r"\n\s*\n", (ROOT / path).read_text().replace("\r", "")):
        values = {}
        for line in block.splitlines():
            if line.startswith("["):
                heading = line.strip().strip("[]")
                held = {} if "=" not in heading else held
                values.update(re.findall(r"(\w+) = (\d+)", heading))
            elif " = " in line and not line.startswith("#"):
                name, value = line.split(" = ", 1)
                values[name.strip()] = value.strip()
            elif "=" in line and not line.startswith("#"):
                name, value = line.split("=", 1)
                values[name.strip()] = value.strip()
        held = {**held, **values}
        yield heading, {**held, "own": values}


def key(x, y):
    """Two coordinates as one public key; too long ones stay too long."""
    return "".join(value.zfill(max(64, len(value) + len(value) % 2)) for value in (x, y))


def signatures(name):
    """SigGen and SigVer of FIPS 186-3 for P-256 with SHA-256."""
    for heading, found in records(f"asymmetric/ECDSA/FIPS_186-3/{name}"):
        if heading == "P-256,SHA-256" and "R" in found["own"]:
            yield {
                "message": found["Msg"],
                "private": found.get("d", ""),
                "public": key(found["Qx"], found["Qy"]),
                "signature": found["R"].zfill(64) + found["S"].zfill(64),
                "valid": found.get("Result", "P")[0] == "P",
            }


def public_keys():
    """PKV: which points are keys."""
    for edition in ("2", "3"):
        for heading, found in records(f"asymmetric/ECDSA/FIPS_186-{edition}/PKV.rsp"):
            if heading == "P-256" and "Qx" in found["own"]:
                yield {"public": key(found["Qx"], found["Qy"]), "valid": found["Result"][0] == "P"}


def key_pairs():
    """KeyPair."""
    for edition in ("2", "3"):
        name = f"asymmetric/ECDSA/FIPS_186-{edition}/KeyPair.rsp"
        inside = False
        for heading, found in records(name):
            if re.match(r"[PKB]-\d+$", heading):
                inside = heading == "P-256"
            if inside and "d" in found["own"]:
                yield {"private": found["d"].zfill(64), "public": key(found["Qx"], found["Qy"])}


def deterministic():
    """RFC 6979 for P-256 with SHA-256: signatures that are to be made, and ones to be judged."""
    text = (ROOT / "asymmetric/ECDSA/RFC6979/evppkey_ecdsa_rfc6979.txt").read_text()
    begin = text.index("-----BEGIN", text.index("PrivateKey=P-256_PRIV"))
    loaded = load_pem_private_key(text[begin : text.index("\n\n", begin)].encode(), None)
    assert isinstance(loaded, EllipticCurvePrivateKey)
    private = loaded.private_numbers()
    public = private.public_numbers
    for block in text.split("\n\n"):
        found = dict(line.split("=", 1) for line in block.replace(" = ", "=").splitlines() if "=" in line)
        kind = "DigestSign" if "DigestSign" in found else "DigestVerify"
        if found.get(kind) != "SHA256" or not found.get("Key", "").startswith("P-256"):
            continue
        r, s = decode_dss_signature(bytes.fromhex(found["Output"]))
        yield {
            "private": f"{private.private_value:064x}" if kind == "DigestSign" else "",
            "public": key(f"{public.x:x}", f"{public.y:x}"),
            "message": found["Input"].strip('"').encode().hex(),
            "signature": f"{r:064x}{s:064x}",
            "valid": "Result" not in found,
        }


def agreements(role):
    """ECC CDH on P-256: both sides' keys, Z and its hash, and whether all of that is right."""
    name = f"asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_{role}.fax"
    for heading, found in records(name):
        if heading == "EC - SHA256" and "Z" in found["own"]:
            yield {
                "private": found["dsIUT"].zfill(64),
                "public": key(found["QsIUTx"], found["QsIUTy"]),
                "peer": key(found["QsCAVSx"], found["QsCAVSy"]),
                "secret": found["Z"].zfill(64),
                "hash": found["CAVSHashZZ"],
                "valid": found["Result"][0] == "P",
            }


def ccm(name):
    """Vectors with keys of 16 bytes and nonces of 13; `tagged` if the tag is ours too."""
    for _, found in records(f"ciphers/AES/CCM/{name}128.rsp"):
        if "CT" not in found["own"] or found["Nlen"] != "13":
            continue
        tag = int(found["Tlen"])
        if found.get("Result", "Pass") != "Pass":
            continue  # says only that a tag of another length is wrong
        end = 2 * int(found["Plen"])
        yield {
            "key": found["Key"],
            "nonce": found["Nonce"],
            "aad": found["Adata"][: 2 * int(found["Alen"])],
            "plaintext": found["Payload"][:end],
            "ciphertext": found["CT"] if tag == 8 else found["CT"][:end],
            "tagged": tag == 8,
        }


def hkdf(name):
    for _, found in records(f"KDF/{name}"):
        if "OKM" in found["own"] and found["Hash"].replace("-", "") == "SHA256":
            yield {
                "ikm": found["IKM"],
                "salt": found.get("salt", ""),
                "info": found.get("info", ""),
                "prk": found.get("PRK", ""),
                "okm": found["OKM"],
            }


def hmac():
    for _, found in records("HMAC/rfc-4231-sha256.txt"):
        if "MD" in found["own"]:
            yield {"key": found["Key"], "data": found["Msg"][: int(found["Len"]) // 4], "mac": found["MD"]}


def collect():
    """All of them, by the name of the check."""
    return {
        "siggen": list(signatures("SigGen.txt")),
        "siggen_response": list(signatures("SigGen.rsp")),
        "sigver": list(signatures("SigVer.rsp")),
        "rfc6979": list(deterministic()),
        "public_keys": list(public_keys()),
        "key_pairs": list(key_pairs()),
        "agreement_initiator": list(agreements("init")),
        "agreement_responder": list(agreements("resp")),
        "ccm": [vector for name in ("VTT", "VADT", "VNT", "VPT", "DVPT") for vector in ccm(name)],
        "hkdf": [*hkdf("rfc-5869-HKDF-SHA256.txt"), *hkdf("hkdf-generated.txt")],
        "hmac": list(hmac()),
    }
