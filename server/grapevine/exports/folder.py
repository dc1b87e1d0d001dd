"""Every table of a site as files in one folder that its owner alone can read."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

from grapevine.config.private_files import FILE_MODE, make_folder
from grapevine.errors import Invalid
from grapevine.exports import FORMATS, TABLES, ExportRequest, make_encoder, stream
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.readers.exports import ExportRange


async def export_all(store: Store, site: Site, folder: Path, format_name: str) -> list[Path]:
    """Writes all tables of a site into ``folder``, which is made where it is missing. Returns the files.

    Raises Invalid for a folder that has such a file already or cannot be written, and StoreError.
    """
    files = {table: folder / f"{table}.{FORMATS[format_name].suffix}" for table in TABLES}
    request = ExportRequest(store, site, ExportRange(site.site_id))
    try:
        make_folder(folder)
        for table, file in files.items():
            encoder = make_encoder(format_name, TABLES[table].columns)
            with file.open("xb") as out:
                file.chmod(FILE_MODE)
                async with aclosing(stream(table, request, encoder)) as pieces:
                    async for piece in pieces:
                        out.write(piece)
    except FileExistsError as error:
        raise Invalid(f"{error.filename or folder} is there already; name another folder") from None
    except OSError as error:
        raise Invalid(f"{error.filename or folder} cannot be written: {error.strerror}") from None
    return list(files.values())
