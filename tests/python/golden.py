#!/usr/bin/env python3
"""Makes the golden files of tests/values.rs with Python's own json and hashlib.

    python3 tests/python/golden.py blocks > tests/python/blocks.txt
    python3 tests/python/golden.py floats > tests/python/floats.txt

The files are data, to be reviewed as such; the tests do not run Python. Any Python from 3.1 on gives the same files:
since then `repr` writes the shortest digits of a float that come back exactly.
"""

import decimal
import hashlib
import json
import math
import random
import struct
import sys

HASH = "47f8658295d76149bc7447466eda3e4c26a49d5b8309629da1cf89aedb0c42b0"


def block(timestamp=0.0, transactions=(), previous_hash=1, index=1, proof=100):
    # The order of the notebook's `new_block`, which is not the canonical one.
    return {
        "index": index,
        "timestamp": timestamp,
        "transactions": list(transactions),
        "proof": proof,
        "previous_hash": previous_hash,
    }


def transaction(sender="alice", recipient="bob", amount=5, **nonce):
    return {"sender": sender, "recipient": recipient, "amount": amount, **nonce}


def strings():
    yield "empty strings", ""
    yield "quote", 'say "hello"'
    yield "backslash", "C:\\node\\"
    yield "slash", "https://localhost:5000/chain"
    yield "every control character", "".join(map(chr, range(0x20)))
    yield "printable ASCII", "".join(map(chr, range(0x20, 0x7F)))
    yield "DEL", "a\x7fb"
    yield "U+0080", "\x80"
    yield "U+00A0 and U+00FF", "\xa0\xff"
    yield "é", "café"
    yield "e and a combining accent", "cafe\u0301"
    yield "line and paragraph separator", "\u2028\u2029"
    yield "U+07FF and U+0800", "\u07ff\u0800"
    yield "last before and first after the surrogates", "\ud7ff\ue000"
    yield "byte order mark", "\ufeff"
    yield "U+FFFF", "\uffff"
    yield "U+10000, the first surrogate pair", "\U00010000"
    yield "emoji", "a 😀 b 👩\u200d🚀"
    yield "U+10FFFF, the last surrogate pair", "\U0010ffff"
    yield "text that looks like an escape", "\\u0041 \\n"


def timestamps():
    for text in """
        0.0 -0.0 1.0 -1.0 0.5 0.1 5e-324 -5e-324 2.2250738585072014e-308 1e-300 1.2e-05 9.999e-05 1e-05 0.0001
        0.00012 0.001 123456.789 1507824951.7695177 1507824951.7689593 1507824951.7821326 1507824956.6968665
        1507824957.4151168 1507824959.2312186 1700000000.0 4503599627370496.5 9007199254740991.0 9007199254740992.0
        9007199254740993.0 1e15 1.2e15 999999999999999.9 9999999999999998.0 1e16 1.2e16 1e+16 12345678901234567.0
        1e17 1e21 1e22 1e23 123456789e20 1e99 1e100 -1e100 1.7976931348623157e+308 -1.7976931348623157e+308
    """.split():
        yield f"float {text}", float(text)
    yield "float 0.1 + 0.2", 0.1 + 0.2
    yield "float 2 / 3", 2 / 3
    for number in [0, 1, -1, 5, 1507824951, 2**53 + 1, 2**63 - 1, -(2**63)]:
        yield f"integer {number}", number


def blocks():
    for name, text in strings():
        yield "string: " + name, block(transactions=[transaction(sender=text, recipient=text + text)])
    for name, timestamp in timestamps():
        yield "timestamp: " + name, block(timestamp)
    yield "previous_hash: the integer 1", block()
    yield 'previous_hash: the string "1"', block(previous_hash="1")
    yield "previous_hash: a hash", block(previous_hash=HASH)
    for amount in [0, 1, 2**53 + 1, 2**63, 2**64 - 1]:
        yield f"amount: {amount}", block(transactions=[transaction(amount=amount)])
    for nonce in [0, 1, 2**64 - 1]:
        yield f"nonce: {nonce}", block(transactions=[transaction(nonce=nonce)])
    for number in [0, 2**64 - 1]:
        yield f"index and proof: {number}", block(index=number, proof=number)
    yield "transactions: two, in order", block(
        transactions=[transaction(), transaction(sender="0", recipient="carol", amount=1)]
    )
    yield "transactions: the same twice", block(transactions=[transaction(), transaction()])

    # The blocks that the notebook prints; the hashes of these three are named by the blocks printed after them.
    yield "notebook: block 1 of node 5000", block(1507824951.7695177)
    yield "notebook: block 1 of node 5001", block(1507824951.7689593)
    yield "notebook: block 2 of node 5001", block(
        1507824957.4151168,
        [transaction(sender="0", recipient="e993927e7cd342f5a05d70493ccbe0ef5001", amount=1)],
        "60fe6e582c9c80cfe570eba99eca6b821b0c77929b3f46bc18b093de6684f861",
        index=2,
        proof=35293,
    )


def print_blocks():
    print("# Made by tests/python/golden.py. For each block: as another writer may write it, as `json.dumps(block,")
    print("# sort_keys=True)` does, and the SHA-256 of the latter.")
    for name, value in blocks():
        canonical = json.dumps(value, sort_keys=True)
        print()
        print("name      ", name)
        # Another order, other separators, and no escape that JSON does not ask for.
        print("written   ", json.dumps(value, ensure_ascii=False, separators=(" ,", ":  ")))
        print("canonical ", canonical)
        print("hash      ", hashlib.sha256(canonical.encode()).hexdigest())


def print_floats():
    values = [10.0**e for e in range(-30, 31)] + [2.0**e for e in range(-1074, 1024, 61)]
    values += [struct.unpack(">d", struct.pack(">Q", bits))[0] for bits in (1, 2, 0x000FFFFFFFFFFFFF)]
    # Both neighbours of the two numbers at which Python goes over to exponents.
    for border in (1e-4, 1e16):
        bits = struct.unpack(">Q", struct.pack(">d", border))[0]
        values += [struct.unpack(">d", struct.pack(">Q", bits + step))[0] for step in (-1, 0, 1)]
    generator = random.Random(1507824951)
    while len(values) < 300:
        value = struct.unpack(">d", struct.pack(">Q", generator.getrandbits(64)))[0]
        if value - value == 0.0:
            values.append(value)
    values += [generator.uniform(1.5e9, 1.8e9) for _ in range(50)]
    values += [round(generator.uniform(1.5e9, 1.8e9), 6) for _ in range(50)]
    # Halfway between the two shortest texts that come back: of these Python takes the one whose last digit is even.
    while len(values) < 500:
        value = math.ldexp(generator.getrandbits(53) | 1, generator.randrange(-80, 0))
        value = generator.choice([value, math.floor(value * 256) / 256, math.floor(value * 4096) / 4096])
        exact, shortest = (len(decimal.Decimal(text).normalize().as_tuple().digits) for text in (value, repr(value)))
        if exact == shortest + 1:
            values.append(generator.choice([-1, 1]) * value)
    print("# Made by tests/python/golden.py: the bits of a float in hexadecimal, and its `repr`.")
    for value in values:
        print(struct.pack(">d", value).hex(), repr(value))


sys.stdout.reconfigure(encoding="utf-8", newline="\n")
{"blocks": print_blocks, "floats": print_floats}[sys.argv[1]]()
