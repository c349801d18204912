"""The ids that the load generator uses; equal to write_id() of bench.c."""

MASK = (1 << 64) - 1


def mix64(n):
    z = (n + 1) * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def container_id(index):
    return "".join(f"{mix64(index * 4 + word):016x}" for word in range(4))
