# Checkpoints of versions 1 and 3, as docs/formats/checkpoint.md spells them, made by other code.
import struct

TABLE = []
for value in range(256):
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    TABLE.append(value)


def crc32c(content, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in content:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(len(value)) + value


def items(values):
    return varint(len(values)) + b"".join(values)


TASK, KEY_GROUP, PARTITION = 0, 1, 2


def part(name, content, owner=KEY_GROUP, number=0, shape=""):
    return text(name) + text(shape) + bytes([owner]) + varint(number) + text(content)


def stage(component, parts=(), positions=(), prepared=(), task=0, tasks=1):
    return (text(component) + text(component) + struct.pack("<IIB", task, tasks, bool(positions)) +
            items([text(name) + text(content) for name, content in positions]) +
            items([text(token) for token in prepared]) + items(list(parts)))


def checkpoint(epoch, topology, stages, finished=False, taken_at=0, version=1, base=None):
    """The bytes of a file whose stages are each small enough for a frame; of version 3 with the
    epoch that it holds the changes of, 0: it is whole, and without chunks."""
    head = (struct.pack("<QqB", epoch, taken_at, finished) + text(topology) + text("0.1.0") +
            struct.pack("<III", 1, 128, len(stages)))
    if base is not None:
        version = 3
        head += struct.pack("<QI", base, 0)
    begin = b"MRCepoch" + struct.pack("<I", version)
    crc = crc32c(begin)
    out = begin + struct.pack("<I", crc)
    for content in [head, *stages, b""]:
        frame = struct.pack("<I", len(content)) + content
        crc = crc32c(frame, crc)
        out += frame + struct.pack("<I", crc)
    if base is None:
        return out
    directory = struct.pack("<Q", len(begin) + 4)
    return out + directory + struct.pack("<I", crc32c(directory, crc))
