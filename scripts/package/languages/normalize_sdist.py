"""Rewrites a source distribution so that the same sources have the same bytes: normalize_sdist.py FILE SECONDS."""

import gzip
import io
import sys
import tarfile

file, time = sys.argv[1], int(sys.argv[2])


def normalized(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = time
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    # Without its record of exact times.
    member.pax_headers = {}
    return member


archive = io.BytesIO()
with tarfile.open(file) as source, tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as target:
    for member in sorted(source.getmembers(), key=lambda member: member.name):
        content = source.extractfile(member) if member.isfile() else None
        target.addfile(normalized(member), content)
with open(file, "wb") as output, gzip.GzipFile("", "wb", fileobj=output, mtime=time) as compressed:
    compressed.write(archive.getvalue())
