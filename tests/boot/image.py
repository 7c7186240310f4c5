# SPDX-License-Identifier: BSD-2-Clause
"""The payload's image, and images around it that enter it in ways no firmware would."""

import struct
from pathlib import Path

RAM_BASE = 0x80000000
FIRMWARE_SIZE = 0x200000
STUB = 0x1000

# struct riscv_image_header: code0, code1, text_offset, image_size, flags, version, …
HEADER = struct.Struct("<IIQQQIIQ8sII")


class Image:
    def __init__(self, data):
        self.data = data
        (self.jump, _, self.text_offset, self.size, self.flags, self.version, _, _,
         self.magic, self.magic2, _) = HEADER.unpack_from(data)
        self.base = RAM_BASE + self.text_offset


def jal(offset):
    """jal x0, offset: a jump."""
    assert offset % 2 == 0 and -1 << 20 <= offset < 1 << 20
    return ((offset >> 20 & 1) << 31 | (offset >> 1 & 0x3FF) << 21 | (offset >> 11 & 1) << 20 |
            (offset >> 12 & 0xFF) << 12 | 0x6F)


def jal_offset(code):
    """Where the jump goes that jal() makes."""
    assert code & 0xFFF == 0x6F
    offset = ((code >> 31) << 20 | (code >> 21 & 0x3FF) << 1 | (code >> 20 & 1) << 11 |
              (code >> 12 & 0xFF) << 12)
    return offset - (1 << 21 if offset >> 20 else 0)


A1, T0, T1 = 11, 5, 6


def load_literal(rd, offset):
    """ld rd, offset(pc), in two instructions; clobbers t0."""
    return [T0 << 7 | 0x17, (offset & 0xFFF) << 20 | T0 << 15 | 3 << 12 | rd << 7 | 0x03]


def code(*instructions):
    return struct.pack(f"<{len(instructions)}I", *instructions)


def bios(boot, payload, stub=b""):
    """
    A complete -bios image: the firmware that the build uses, and @payload behind it. @stub: code
    at STUB below the payload, where the firmware leaves room.
    """
    firmware = bytearray(boot.bios.read_bytes()[:FIRMWARE_SIZE])
    at = FIRMWARE_SIZE - STUB
    assert not any(firmware[at:])
    firmware[at:at + len(stub)] = stub
    return boot.file("test.bin", bytes(firmware) + payload)


def with_tree(boot, tree, a1=None):
    """Enters the payload with a1 = the address of @tree, or @a1. The code stays as it is built."""
    image = Image(boot.image.read_bytes())
    at_tree = image.size + 64
    if a1 is None:
        a1 = image.base + at_tree
    jump_back = jal(jal_offset(image.jump) + STUB - 8)
    stub = code(*load_literal(A1, 16), jump_back, 0) + struct.pack("<Q", a1)
    data = code(jal(-STUB)) + image.data[4:]
    return bios(boot, data.ljust(at_tree, b"\0") + tree, stub)


def elsewhere(boot, base):
    """The whole payload at @base, and at its own address no more than a jump there."""
    image = Image(boot.image.read_bytes())
    # ld t1, 16(pc); jr t1
    text = code(*load_literal(T1, 16), T1 << 15 | 0x67, 0) + struct.pack("<Q", base)
    return bios(boot, text.ljust(base - image.base, b"\0") + image.data)


def symbol(elf, name):
    """The address of a symbol of a 64-bit ELF file."""
    data = Path(elf).read_bytes()
    offset, = struct.unpack_from("<Q", data, 0x28)
    entry_size, count = struct.unpack_from("<HH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * entry_size)
                for i in range(count)]
    for _, kind, _, _, at, size, link, *_ in sections:
        if kind != 2:
            continue
        strings = sections[link][4]
        for i in range(at, at + size, 24):
            at_name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", data, i)
            start = strings + at_name
            if data[start:data.index(b"\0", start)] == name.encode("ascii"):
                return value
    raise KeyError(name)


def patched(boot, name, *instructions):
    """The payload with other instructions at the start of a function."""
    image = Image(boot.image.read_bytes())
    at = symbol(boot.elf, name) - image.base
    text = code(*instructions)
    return bios(boot, image.data[:at] + text + image.data[at + len(text):])


def with_stores(boot, stores):
    """Stores 32-bit values, (address, value), before it enters the payload as the firmware did."""
    image = Image(boot.image.read_bytes())
    jump_back = jal(jal_offset(image.jump) + STUB - 32)
    # auipc t0, 0; addi t0, t0, 64; 1: ld t1, 0(t0); beqz t1, 2f; ld t2, 8(t0); sw t2, 0(t1);
    # addi t0, t0, 16; j 1b; 2: the payload
    text = code(0x00000297, 0x04028293, 0x0002b303, 0x00030a63, 0x0082b383, 0x00732023,
                0x01028293, jal(-20), jump_back)
    table = b"".join(struct.pack("<QQ", *store) for store in [*stores, (0, 0)])
    data = code(jal(-STUB)) + image.data[4:]
    stub = text.ljust(64, b"\0") + table
    assert len(stub) <= STUB
    return bios(boot, data, stub)
