"""What stands in the sdist and the wheel, compared with what should."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

OMITTED: Final = {".git-blame-ignore-revs"}
"""Tracked files that only a clone needs."""
BUILT: Final = ("widget/manifest.json", "data/referrers.json", "data/tracking.json", "data/secret_patterns.json")
"""Built files without which a server does not start; the folder holds many more."""
DIST_INFO: Final = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def names_in(file: Path) -> list[str]:
    """Returns the names of the files in an sdist (without its top folder) or a wheel."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    with tarfile.open(file) as archive:
        return [str(PurePosixPath(*PurePosixPath(member.name).parts[1:])) for member in archive if member.isfile()]


def sdist_faults(names: list[str], tracked: list[str]) -> list[str]:
    """The sdist is what git tracks, and the metadata."""
    expected = {*tracked, ".gitignore", "PKG-INFO"} - OMITTED
    return _differences(set(names), expected)


def wheel_faults(names: list[str], tracked: list[str], version: str) -> list[str]:
    """The wheel is the package, the demo site, what build.py made, and the metadata."""
    expected = {name.removeprefix("server/") for name in tracked if name.startswith("server/grapevine/")}
    expected |= {f"grapevine/{name}" for name in tracked if name.startswith("demo_site/")}
    expected |= {f"grapevine_share-{version}.dist-info/{name}" for name in DIST_INFO}
    expected |= {f"grapevine/built/{name}" for name in BUILT}
    made = {
        name
        for name in names
        if re.fullmatch(r"grapevine/built/(data|earlier|widget)/[\w.-]+\.(js|json)(\.br|\.gz)?", name)
    }
    return _differences(set(names), expected | made)


def _differences(found: set[str], expected: set[str]) -> list[str]:
    return [f"is missing: {name}" for name in sorted(expected - found)] + [
        f"does not belong there: {name}" for name in sorted(found - expected)
    ]


def machine_paths(file: Path, *folders: Path) -> list[str]:
    """Returns the names of files in the archive that name one of these folders."""
    wanted = [str(folder).encode() for folder in folders]
    found = []
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            found = [name for name in wheel.namelist() if any(path in wheel.read(name) for path in wanted)]
    else:
        with tarfile.open(file) as sdist:
            for member in sdist:
                stream = sdist.extractfile(member)
                if stream and any(path in (body := stream.read()) for path in wanted) and body:
                    found.append(member.name)
    return found
