"""The directory of trusted documents: found by hash, checked, looked at seldom."""

import os
from pathlib import Path

import pytest

from gateway.documents import trusted as module
from gateway.documents.texts import digest
from gateway.documents.trusted import TrustedDocuments

TEXT = "{ me { id } } # Zoë\r\n"
HASH = digest(TEXT)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "trusted"


def test_what_is_added_is_found_by_its_hash_to_the_last_byte(directory: Path) -> None:
    assert TrustedDocuments(directory).add({HASH: TEXT}) == 1
    assert TrustedDocuments(directory).get(HASH) == TEXT
    assert [file.name for file in directory.iterdir()] == [f"{HASH}.graphql"]


def test_what_was_there_is_not_new_and_what_was_spoiled_is_mended(directory: Path) -> None:
    trusted = TrustedDocuments(directory)
    trusted.add({HASH: TEXT})
    assert trusted.add({HASH: TEXT, digest("{ a }"): "{ a }"}) == 1
    (directory / f"{HASH}.graphql").write_text("{ spoiled }")
    assert trusted.get(HASH) is None
    assert trusted.add({HASH: TEXT}) == 1
    assert trusted.get(HASH) == TEXT


def test_nothing_is_added_where_one_cannot_be_written(directory: Path) -> None:
    second = digest("{ a }")
    (directory / f"{second}.graphql" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        TrustedDocuments(directory).add({HASH: TEXT, second: "{ a }"})
    assert [file.name for file in directory.iterdir()] == [f"{second}.graphql"]


@pytest.mark.parametrize("name", ["notes.txt", f"{HASH[:-1]}.graphql", f"{HASH.upper()}.graphql", f".{HASH}.graphql"])
def test_a_file_of_another_name_is_no_trusted_document(directory: Path, name: str) -> None:
    directory.mkdir()
    (directory / name).write_text(TEXT)
    assert TrustedDocuments(directory).hashes() == []


def test_files_are_seen_to_come_and_go_when_the_list_is_old(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BELIEVED_SECONDS", 0)
    trusted = TrustedDocuments(directory)
    assert HASH not in trusted
    TrustedDocuments(directory).add({HASH: TEXT})
    assert HASH in trusted
    (directory / f"{HASH}.graphql").unlink()
    assert (HASH in trusted, trusted.get(HASH)) == (False, None)


def test_a_thousand_unknown_hashes_cost_one_look_at_the_directory(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BELIEVED_SECONDS", 3600)
    looks = counted_looks(monkeypatch)
    trusted = TrustedDocuments(directory)
    assert [trusted.get(digest(str(number))) for number in range(1000)] == [None] * 1000
    assert looks == [directory]


def test_a_directory_that_has_not_changed_for_a_while_is_not_listed_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BELIEVED_SECONDS", 0)
    TrustedDocuments(directory).add({HASH: TEXT})
    os.utime(directory, (0, 0))
    looks = counted_looks(monkeypatch)
    trusted = TrustedDocuments(directory)
    assert [HASH in trusted for _ in range(3)] == [True] * 3
    assert looks == [directory]
    (directory / f"{HASH}.graphql").unlink()
    assert [HASH in trusted for _ in range(3)] == [False] * 3


def counted_looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The directories that are listed from now on."""
    looks, listdir = list[Path](), os.listdir

    def counting(path: Path) -> list[str]:
        looks.append(path)
        return listdir(path)

    monkeypatch.setattr("gateway.documents.trusted.os.listdir", counting)
    return looks
