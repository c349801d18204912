"""The journal's bytes, read on their own: where segments have their frames, and what those prove."""

import struct
import zlib

BLOCK = 4096
FRAME_HEADER = 64
FRAME = struct.Struct("<IIQQQQQIIII")  # magic crc seq segno base_revision durable_seq zero payload records flags zero
RECORD = struct.Struct("<BBHIIIQQq")
SEAL, CLEAN, COPY = 1, 2, 4


class Frame:
    def __init__(self, at, data, fields):
        (_, _, self.seq, self.segno, self.base_revision, self.durable_seq, _, self.payload, self.records, self.flags,
         _) = fields
        self.at = at
        self.room = (FRAME_HEADER + self.payload + BLOCK - 1) // BLOCK * BLOCK
        self.data = data[at + FRAME_HEADER:at + FRAME_HEADER + self.payload]

    def changes(self):
        """(id, revision) of each record."""
        at = 0
        while at < len(self.data):
            _, _, id_len, meta_len, status_len, _, revision, _, _ = RECORD.unpack_from(self.data, at)
            yield self.data[at + RECORD.size:at + RECORD.size + id_len].decode(), revision
            at += (RECORD.size + id_len + meta_len + status_len + 7) // 8 * 8


def is_segment(name):
    return len(name) == 16 and all(c in "0123456789abcdef" for c in name)


def base_seq(data):
    return struct.unpack_from("<Q", data, 24)[0]


def frames(data, magic=None):
    """Every frame whose checksum is right.  The magic number is that of the first block that looks like one."""
    found, at = [], BLOCK
    while at + BLOCK <= len(data):
        fields = FRAME.unpack_from(data, at)
        crc, payload = fields[1], fields[7]
        body = data[at:at + 4] + b"\0\0\0\0" + data[at + 8:at + FRAME_HEADER + payload]
        if fields[2] and len(body) == FRAME_HEADER + payload and zlib.crc32(body) == crc:
            found.append(Frame(at, data, fields))
            at += found[-1].room
        else:
            at += BLOCK
    return found


class Journal:
    """All segments of a root: {name: bytes}."""

    def __init__(self, segments):
        self.segments = segments
        self.frames = {name: frames(data) for name, data in segments.items()}

    def newest(self):
        name = max(self.segments)
        return self.frames[name][-1] if self.frames[name] else None

    def all_frames(self):
        return [f for name in sorted(self.frames) for f in self.frames[name]]

    def proven(self, manifest_durable):
        """The newest frame that something on disk proves durable."""
        return max([manifest_durable] + [f.durable_seq for f in self.all_frames()] +
                   [base_seq(data) - 1 for data in self.segments.values()])
