"""Files as they come: what cannot be read is said with its line, and never stops what can."""

import re
from pathlib import Path

import pytest

from gateway.commands.refusals import CommandRefusedError
from tests.imports.conftest import Target

HEADER = b"id,name\n"
NAMES = "SELECT external_id, name FROM contacts WHERE tenant_id = $1 ORDER BY external_id"


async def imported(target: Target, directory: Path, content: bytes) -> list[tuple[str, str]]:
    """The contacts that are there after an import of this file."""
    (directory / "contacts.csv").write_bytes(content)
    await target.run(directory, str(directory.with_name("contacts.toml")))
    return [(str(key), str(name)) for key, name in await target.fetch(NAMES)]


async def refused(target: Target, directory: Path, content: bytes) -> str:
    with pytest.raises(CommandRefusedError) as refusal:
        await imported(target, directory, content)
    assert await target.fetch(NAMES) == []
    return str(refusal.value)


@pytest.mark.parametrize(
    ("content", "contacts_there"),
    {
        "a byte order mark": (b"\xef\xbb\xbfid,name\n1,Ann\n", [("1", "Ann")]),
        "Windows line ends": (b"id,name\r\n1,Ann\r\n2,Bob\r\n", [("1", "Ann"), ("2", "Bob")]),
        "no last line end": (b"id,name\n1,Ann", [("1", "Ann")]),
        "empty lines": (b"\n\nid,name\n\n1,Ann\n\n\n", [("1", "Ann")]),
        "quotes": (b'id,name\n1,"Ann ""Annie"", Ltd"\n', [("1", 'Ann "Annie", Ltd')]),
        "line ends within quotes": (b'id,name\n1,"Ann\r\nSmith"\n2,Bob\n', [("1", "Ann\r\nSmith"), ("2", "Bob")]),
        "spaces around": (b" id , name \n 1 , Ann \n", [("1", "Ann")]),
        "other columns": (b"x,name,id,,\n,Ann,1,,\n", [("1", "Ann")]),
        "a header alone": (HEADER, []),
        "unusual separators of lines within": ("id,name\n1,Ann\u2028B\x0b\n".encode(), [("1", "Ann\u2028B")]),
    }.values(),
)
async def test_a_file_is_read_as_it_was_meant(
    target: Target, contacts: Path, content: bytes, contacts_there: list[tuple[str, str]]
) -> None:
    assert await imported(target, contacts, content) == contacts_there
    assert target.rejected() == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    {
        "nothing": (b"", "contacts.csv is empty: it has not even a header."),
        "only line ends": (b"\n\r\n\n", "contacts.csv is empty: it has not even a header."),
        "a header that lacks a column": (
            b"id,nom\n",
            "contacts.csv lacks the column `name`: its header has `id`, `nom`.",
        ),
        "a header that has one twice": (b"id,name,name\n", "contacts.csv has the column `name` 2 times."),
        "no header": (b"1,Ann\n", "contacts.csv lacks the column `id` and `name`: its header has `1`, `Ann`."),
        "another encoding": (
            HEADER + b"1,Ann\n2,Zo\xeb\n",
            "contacts.csv, line 3: byte 0xEB is not utf-8: set `encoding` in the mapping.",
        ),
        "an encoding cut short": (
            HEADER + b"1,Zo\xc3",
            "contacts.csv, line 2: byte 0xC3 is not utf-8: set `encoding` in the mapping.",
        ),
        "a header with a broken quote": (
            b'id,"name\n1,Ann\n',
            "contacts.csv, line 1: the header has a quote that is not closed (lines 1 to 2).",
        ),
        "line ends of CR alone": (
            b"id,name\r1,Ann\r",
            "contacts.csv, line 1: the header has a CR outside quotes: lines have to end in LF or CRLF.",
        ),
    }.values(),
)
async def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(
    target: Target, contacts: Path, content: bytes, sentence: str
) -> None:
    assert await refused(target, contacts, content) == sentence


async def test_a_wrong_byte_far_down_is_found_by_its_line(target: Target, contacts: Path) -> None:
    rows = b"".join(b"%d,Ann\n" % n for n in range(100_000))
    assert "contacts.csv, line 100002: byte 0xE9" in await refused(target, contacts, HEADER + rows + b"x,\xe9\n")


async def test_a_file_without_line_ends_is_refused_before_it_fills_memory(target: Target, contacts: Path) -> None:
    sentence = "contacts.csv, line 2 has no end: it is no CSV, or its lines end in CR alone."
    assert await refused(target, contacts, HEADER + b"x" * 9_000_000) == sentence


@pytest.mark.parametrize(
    ("row", "rejects"),
    {
        "too few fields": (b"1", [("2", "", "has 1 fields, the header has 2", "1")]),
        "too many fields": (b"1,Ann,x", [("2", "", "has 3 fields, the header has 2", "1,Ann,x")]),
        "no key": (b",Ann", [("2", "id", "is empty", "")]),
        "nothing at all": (b" ,", [("2", "id", "is empty", ""), ("2", "name", "is empty", "")]),
        "a NUL": (b"1,A\0n", [("2", "name", "holds a NUL character", "A␀n")]),
        "a megabyte": (
            b"1," + b"x" * 2**20,
            [("2", "name", "has 1048576 characters, 500 at most are kept", "x" * 200 + "…")],
        ),
        "a long key": (
            b"x" * 256 + b",Ann",
            [("2", "id", "has 256 characters, 255 at most are kept", "x" * 200 + "…")],
        ),
        "a stray quote": (
            b'1,"Ann" x',
            [("2", "", "has something after a closing quote: quotes within a field are doubled", "")],
        ),
        "a field beyond all bounds": (
            b"1," + b"x" * (2**21 + 1),
            [("2", "", "has a field of more than 2097152 characters, or a quote that is not closed", "")],
        ),
    }.values(),
)
async def test_a_bad_row_is_listed_and_the_others_are_imported(
    target: Target, contacts: Path, row: bytes, rejects: list[tuple[str, ...]]
) -> None:
    assert await imported(target, contacts, HEADER + row + b"\n2,Bob\n") == [("2", "Bob")]
    assert target.rejected() == [("contacts.csv", *reject) for reject in rejects]


async def test_a_quote_that_is_never_closed_is_listed_with_the_lines_it_swallowed(
    target: Target, contacts: Path
) -> None:
    assert await imported(target, contacts, HEADER + b'1,Ann\n2,"Bob\n3,Eve\n') == [("1", "Ann")]
    assert target.rejected() == [("contacts.csv", "3", "", "has a quote that is not closed (lines 3 to 4)", "")]


async def test_a_key_that_comes_twice_is_listed_with_its_first_line(target: Target, contacts: Path) -> None:
    assert await imported(target, contacts, HEADER + b"1,Ann\n2,Bob\n1,Eve\n") == [("1", "Ann"), ("2", "Bob")]
    assert target.rejected() == [("contacts.csv", "4", "id", "is that of line 2 too", "1")]


async def test_a_thousand_bad_rows_do_not_stop_the_good_ones(target: Target, contacts: Path) -> None:
    rows = b"".join(b"%d,%s\n" % (n, b"" if n % 2 else b"Ann") for n in range(2000))
    (contacts / "contacts.csv").write_bytes(HEADER + rows)
    (summary,) = await target.run(contacts, str(contacts.with_name("contacts.toml")))
    assert (summary.read, summary.created, summary.rejected) == (2000, 1000, 1000)
    assert len(target.rejected()) == 1000


async def test_a_clean_run_leaves_no_list_of_rejects(target: Target, contacts: Path) -> None:
    await imported(target, contacts, HEADER + b"1\n")
    assert target.rejects.exists()
    await imported(target, contacts, HEADER + b"1,Ann\n")
    assert not target.rejects.exists()


async def test_a_list_of_rejects_that_cannot_be_written_is_one_sentence(target: Target, contacts: Path) -> None:
    target.rejects.mkdir()
    with pytest.raises(
        CommandRefusedError, match=rf"^The rejects cannot be written to {re.escape(str(target.rejects))}"
    ):
        await imported(target, contacts, HEADER + b"1\n")


async def test_a_missing_file_is_found_before_anything_is_written(target: Target, maven_like: Path) -> None:
    (maven_like / "accounts.csv").unlink()
    with pytest.raises(CommandRefusedError, match=r"^.*maven-like lacks accounts\.csv\.$"):
        await target.run(maven_like)
    assert await target.fetch("SELECT id FROM members WHERE tenant_id = $1") == []


async def test_a_missing_directory_is_one_sentence(target: Target, tmp_path: Path) -> None:
    with pytest.raises(CommandRefusedError, match=r"^There is no directory .*nowhere\.$"):
        await target.run(tmp_path / "nowhere")


async def test_a_file_of_another_encoding_is_read_when_the_mapping_says_so(target: Target, contacts: Path) -> None:
    mapping = contacts.with_name("contacts.toml")
    mapping.write_text(
        mapping.read_text().replace("[files.fields]", 'encoding = "utf-16"\ndelimiter = ";"\n[files.fields]')
    )
    assert await imported(target, contacts, "id;name\n1;Zoë\n".encode("utf-16")) == [("1", "Zoë")]
