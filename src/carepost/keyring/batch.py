"""Several certificates at once: files named by address, or a table that says which file is whose."""

import csv
import io
from typing import Final

from carepost.ground.errors import Refused

#: endings of files with certificates; what stands before is the address
ENDINGS: Final = (".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".asc", ".gpg", ".pgp", ".pub", ".txt")
UNNAMED: Final = "The file’s name says no address; name it as in bo@partner.example.pem."
#: octets of a table
MOST_TABLE: Final = 2_000_000
#: rows of a table; the import itself takes fewer
MOST_ROWS: Final = 20_000


def address_of(name: str) -> str:
    """`bo@partner.test.pem` -> `bo@partner.test`; "" for a name that holds no address."""
    bare = name.strip()
    for ending in ENDINGS:
        if bare.lower().endswith(ending):
            bare = bare[: -len(ending)]
            break
    return bare if "@" in bare.strip("@") else ""


def table(text: bytes) -> list[tuple[str, str]]:
    """(address, file) of each line of a CSV; a first line without an address is a heading. Raises Refused."""
    if len(text) > MOST_TABLE:
        raise Refused("table-too-large", "The table is larger than 2 MB.", status=413)
    if text.lstrip().startswith(b"-----BEGIN"):
        raise Refused(
            "bad-table", "This is a file of certificates, not a table: import a folder in which each has a file of its "
            "own, named by its address, or a CSV of address,file.", status=422,
        )  # fmt: skip
    try:
        rows = csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True)
        lines = [(number, row) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error):
        raise Refused("bad-table", "The table is not a CSV file in UTF-8.", status=422) from None
    if lines and "@" not in lines[0][1][0]:
        lines = lines[1:]
    if len(lines) > MOST_ROWS:
        raise Refused("table-too-long", f"The table has more than {MOST_ROWS} lines.", status=413)
    for number, row in lines:
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise Refused(
                "bad-table", f"Line {number} of the table does not say an address and a file: address,file.", status=422
            )
    return [(row[0].strip(), row[1].strip()) for _, row in lines]
