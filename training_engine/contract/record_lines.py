"""A record as one line of JSON, put together from what is stored of it. Standard library only.

Whoever hashes the lines of a version and whoever reads them must agree on every byte.
"""


def json_line(record: bytes, line: int | None, extra: bytes | None) -> bytes:
    """`record` (a JSON object without `meta`) with its place and the rest, and a line feed.

    `line` is the 1-based line or item of the upload, `extra` a JSON object or None.
    """
    meta = b"" if line is None else b'"line":%d' % line
    if extra is not None:
        meta += (b',"extra":' if meta else b'"extra":') + extra
    comma = b"," if len(record) > len(b"{}") else b""
    return b'%b%b"meta":{%b}}\n' % (record[:-1], comma, meta)
