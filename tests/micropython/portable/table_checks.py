"""Messages, objects, blobs, records, trust: the whole tables, there and back, and what they refuse."""

from doorward_protocol import cbor, cose, errors, messages, objects, prompts, records, schema, trust

from portable_support import refuses, refuses_later

NEEDS_SUITE = True

SAMPLES = {
    "uint": 7,
    "int": -7,
    "bytes": b"some",
    "text": "\u62bc\u6b3e\u8f66",
    "bool": True,
    "any": [1, "a"],
    "hash": b"h" * 32,
    "unit": b"u" * 8,
    "nonce": b"n" * 8,
    "id16": b"i" * 16,
    "key": b"k" * 64,
    "time": 1700000000000,
}

WRONG = {
    "uint": (-1, 1 << 64, True, "1", b"1", [], {}),
    "int": (1 << 64, True, "1"),
    "bytes": ("some", 1, [], True),
    "text": (b"some", 1, []),
    "bool": (0, 1, "true"),
    "any": (),
    "hash": (b"", b"h" * 31, b"h" * 33, "h" * 32, 1),
    "unit": (b"u" * 7, b"u" * 9, "u" * 8),
    "nonce": (b"n" * 7, b"n" * 9),
    "id16": (b"i" * 15, b"i" * 17),
    "key": (b"k" * 63, b"k" * 65),
    "time": (-1, True, "now"),
}

WRONG_LIST = (1, "x", {}, [None])  # for arrays and for nested rows


def sample(kind, parts):
    """A value of a type as the tables write it; nested rows and arrays have one member each."""
    if kind.startswith("["):
        return [sample(kind[1:-1], parts)]
    if kind in parts:
        return [sample(field.split(":")[1].rstrip("?"), parts) for field in parts[kind].split()]
    return SAMPLES[kind]


def sample_row(table, name):
    """The fields of a row, all of them present."""
    return {field.name: sample(field.type, table.parts) for field in table.fields(name)}


TABLES = (messages.TABLE, objects.OBJECT_TABLE, objects.BLOB_TABLE, records.TABLE)


def _without(fields, name):
    return {key: fields[key] for key in fields if key != name}


async def check_every_row(s):
    """Each row of each table packs and unpacks; each field refuses what is not of its type."""
    for table in TABLES:
        for name in table.rows:
            fields = sample_row(table, name)
            array = table.pack(name, **fields)
            assert table.unpack(cbor.decode(cbor.encode(array))) == (name, fields), name
            for at, field in enumerate(table.fields(name)):
                for value in WRONG.get(field.type, WRONG_LIST):
                    if field.type == "[any]" and value == [None]:
                        continue
                    changed = dict(fields)
                    changed[field.name] = value
                    refuses(errors.MALFORMED, table.pack, name, **changed)
                    refuses(errors.MALFORMED, table.unpack, array[: at + 1] + [value] + array[at + 2 :])
                absent = _without(fields, field.name)
                if field.optional:
                    assert table.pack(name, **absent)[at + 1] is None
                else:
                    refuses(errors.MALFORMED, table.pack, name, **absent)
            refuses(errors.MALFORMED, table.unpack, array[:-1])
            refuses(errors.MALFORMED, table.unpack, array + [0])
            refuses(errors.MALFORMED, table.pack, name, nonsense=1, **fields)


async def check_codes(s):
    """What begins with no code of a table is refused."""
    for table in TABLES:
        for array in ([], [None], ["status"], [-1], [True], {}, 1, None, b""):
            refuses(errors.MALFORMED, table.unpack, array)
        refuses(errors.UNKNOWN_MESSAGE, table.unpack, [99])
        refuses(errors.UNKNOWN_MESSAGE, table.pack, "nonsense")


async def check_schema(s):
    """A table with a code twice is a mistake that shows at import; parts may use other parts."""
    try:
        schema.Table({"a": (1, "x:uint"), "b": (1, "y:uint")})
    except ValueError:
        pass
    else:
        raise AssertionError("a code used twice was accepted")
    table = schema.Table(
        {"a": (1, "rows:[outer]")}, parts={"inner": "n:uint?", "outer": "inner:inner text:text"}
    )
    assert table.pack("a", rows=[[[None], "x"]]) == [1, [[[None], "x"]]]
    refuses(errors.MALFORMED, table.pack, "a", rows=[[[-1], "x"]])
    refuses(errors.MALFORMED, table.pack, "a", rows=[[[1, 2], "x"]])
    assert table.pack("a", rows=()) == [1, ()]


async def check_directions(s):
    """Each message passes the way it may go, and is refused the other way."""
    for name in messages.MESSAGES:
        data = messages.encode(name, **sample_row(messages.TABLE, name))
        allowed = messages.MESSAGES[name][1]
        assert messages.decode(data)[0] == name
        for direction in (messages.TO_SERVER, messages.TO_UNIT):
            if allowed & direction:
                assert messages.decode(data, direction)[0] == name
            else:
                refuses(errors.WRONG_DIRECTION, messages.decode, data, direction)


async def check_message_sizes(s):
    """Chunks and lists have their limits, on both sides."""
    blob = {"hash": b"h" * 32, "offset": 0, "total": 9999}
    messages.encode("blob", data=bytes(messages.MAX_CHUNK), **blob)
    refuses(errors.TOO_LARGE, messages.encode, "blob", data=bytes(messages.MAX_CHUNK + 1), **blob)
    many = [5, b"h" * 32, 0, 9999, bytes(messages.MAX_CHUNK + 1)]
    refuses(errors.TOO_LARGE, messages.decode, cbor.encode(many))
    missing = [b"h" * 32] * (messages.MAX_MISSING + 1)
    refuses(errors.TOO_LARGE, messages.encode, "have", manifest=1, complete=False, missing=missing)
    refuses(errors.MALFORMED, messages.encode, "blob", data=7, **blob)
    refuses(errors.MALFORMED, messages.encode, "have", manifest=1, complete=False, missing=7)


async def check_records(s):
    """Every kind of entry, and what surrounds its fields."""
    salt = b"s" * 16
    for name in records.RECORDS:
        fields = sample_row(records.TABLE, name)
        entry = records.encode(name, 1700000000000, 1, 3, salt, **fields)
        record = records.decode(entry)
        assert (record.name, record.kind) == (name, records.RECORDS[name][0])
        assert (record.time, record.clock, record.boot, record.salt) == (1700000000000, 1, 3, salt)
        assert record.fields == fields
    for time, clock, boot, wrong_salt in (
        (-1, 0, 0, salt),
        (None, 0, 0, salt),
        (0, 2, 0, salt),
        (0, True, 0, salt),
        (0, False, 0, salt),  # which Python takes for 0
        (0, None, 0, salt),
        (0, 0, -1, salt),
        (0, 0, 0, b"s" * 15),
        (0, 0, 0, None),
    ):
        refuses(
            errors.MALFORMED, records.encode, "left", time, clock, boot, wrong_salt, task=1, nonce=b"n" * 8
        )
        array = [19, time, clock, boot, wrong_salt, [1, b"n" * 8]]
        refuses(errors.MALFORMED, records.decode, cbor.encode(array))
    for array in ([19, 0, 0, 0, salt], [19, 0, 0, 0, salt, 5], [19, 0, 0, 0, salt, [], []], {}, 1):
        refuses(errors.MALFORMED, records.decode, cbor.encode(array))
    refuses(errors.UNKNOWN_MESSAGE, records.decode, cbor.encode([99, 0, 0, 0, salt, []]))


async def check_objects(s):
    """Every signed object; signed as another kind, or with another kind's payload, it is refused."""
    private, public = await s.new_key()
    kid = b"dispatch"
    for name in objects.OBJECTS:
        fields = sample_row(objects.OBJECT_TABLE, name)
        data = await objects.sign(s, private, kid, name, **fields)
        assert await objects.verify(s, name, data, {kid: public}) == fields
    head = cbor.encode(objects.OBJECT_TABLE.pack("head", **sample_row(objects.OBJECT_TABLE, "head")))
    disguised = await cose.sign1(s, private, kid, "receipt", head)
    await refuses_later(errors.WRONG_KIND, objects.verify(s, "receipt", disguised, {kid: public}))
    await refuses_later(errors.MALFORMED, objects.sign(s, private, kid, "head", unit=b"short"))


async def check_blobs(s):
    """Every blob content; one is never taken for another, and nested rows have names."""
    for name in objects.BLOBS:
        fields = sample_row(objects.BLOB_TABLE, name)
        data = objects.encode_blob(name, **fields)
        assert objects.decode_blob(name, data) == fields
        for other in objects.BLOBS:
            if other != name:
                refuses(errors.WRONG_KIND, objects.decode_blob, other, data)
    person = objects.part("person", sample("person", objects.BLOB_PARTS))
    assert person["name"] == SAMPLES["text"]
    assert objects.part("finger", person["fingers"][0])["template"] == SAMPLES["hash"]
    assert objects.part("entry", sample("entry", objects.OBJECT_PARTS))["size"] == 7
    refuses(errors.MALFORMED, objects.part, "member", [1])


async def check_numbers(s):
    """Prompts and reasons: numbers and names belong together one to one."""
    assert sorted(prompts.PROMPTS) == list(range(1, 33))
    for number in prompts.PROMPTS:
        assert prompts.NUMBERS[prompts.PROMPTS[number]] == number
    assert len(prompts.NUMBERS) == 32
    names = []
    for code in errors.NAMES:
        name = errors.NAMES[code]
        assert getattr(errors, name.upper()) == code
        assert name not in names
        names.append(name)
    # A host says what to do as well.
    advice = ": its time is over; issue it again" if errors.ADVICE else ""
    assert set(errors.ADVICE) in (set(), set(names))
    assert str(errors.ProtocolError(errors.EXPIRED, "order 7")) == "expired" + advice + " (order 7)"
    assert str(errors.ProtocolError(errors.EXPIRED)) == "expired" + advice


class _Roots:
    """Three roots and the trust objects that they sign."""

    async def make(self, s):
        self.s = s
        self.keys = []
        for _ in range(4):
            self.keys.append(await s.new_key())
        return self

    def kid(self, number):
        return b"root---%d" % number

    def fields(self, version, roots=(0, 1, 2), threshold=2):
        return {
            "version": version,
            "server_kid": b"server-1",
            "server_key": b"k" * 64,
            "dispatch_kid": b"dispatch",
            "dispatch_key": b"d" * 64,
            "roots": [[self.kid(number), self.keys[number][1]] for number in roots],
            "threshold": threshold,
        }

    async def sign(self, signers, fields):
        keys = [(self.keys[number][0], self.kid(number)) for number in signers]
        return await trust.sign_trust(self.s, keys, **fields)


async def check_trust(s):
    """Version n + 1 needs the thresholds of both versions; strangers and doubles count for nothing."""
    roots = await _Roots().make(s)
    first = roots.fields(1)
    assert await trust.verify_trust(s, await roots.sign((0, 1), first)) == first
    second = roots.fields(2, roots=(1, 2, 3))
    signed = await roots.sign((1, 2), second)
    assert await trust.verify_trust(s, signed, first) == second
    third = roots.fields(2, roots=(2, 3))
    bad = errors.BAD_SIGNATURE
    await refuses_later(
        bad, trust.verify_trust(s, await roots.sign((2, 3), third), first)
    )  # one old root alone
    await refuses_later(bad, trust.verify_trust(s, await roots.sign((0, 1), third), first))  # no new root
    await refuses_later(bad, trust.verify_trust(s, await roots.sign((1,), second), first))
    assert await trust.verify_trust(s, await roots.sign((1, 2, 3), third), first) == third
    old = errors.OLD_VERSION
    await refuses_later(old, trust.verify_trust(s, signed, roots.fields(2)))
    await refuses_later(old, trust.verify_trust(s, signed, roots.fields(3)))
    await refuses_later(old, trust.verify_trust(s, await roots.sign((0, 1), roots.fields(3)), first))
    stranger = await roots.sign((1, 2, 0), roots.fields(2, roots=(1, 2)))
    assert await trust.verify_trust(s, stranger, first)
    await refuses_later(errors.UNKNOWN_KEY, trust.verify_trust(s, await roots.sign((1, 2, 3), first)))
    one = cbor.decode(signed)[0]
    await refuses_later(bad, trust.verify_trust(s, cbor.encode([one, one]), first))
    mixed = [one, cbor.decode(await roots.sign((2,), roots.fields(2)))[0]]
    refuses(errors.MALFORMED, trust.join_trust, mixed)
    await refuses_later(errors.MALFORMED, trust.verify_trust(s, cbor.encode(mixed), first))
    for nonsense in ([], {}, [1], 5, [one] * 9):
        await refuses_later(errors.MALFORMED, trust.verify_trust(s, cbor.encode(nonsense), first))
    for threshold in (0, 4):
        wrong = await roots.sign((0, 1), roots.fields(1, threshold=threshold))
        await refuses_later(errors.MALFORMED, trust.verify_trust(s, wrong))
    swapped = roots.fields(2)
    swapped["roots"][0] = [roots.kid(0), roots.keys[3][1]]
    await refuses_later(errors.UNKNOWN_KEY, trust.verify_trust(s, await roots.sign((1, 2), swapped), first))
