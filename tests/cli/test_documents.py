"""`gateway documents`: what front ends hold becomes trusted, all of it or nothing."""

import json
from pathlib import Path

import pytest

from gateway.documents.texts import digest
from tests.cli.conftest import Command

ME = "query Me {\n  me { id name }\n}\n"
DEALS = "query Deals($first: Int!) { deals(first: $first) { nodes { id } } }"
DRAG = "mutation Drag($input: UpdateDealStagesInput!) { updateDealStages(input: $input) { operationId } }"

NO_DIGEST = "The manifest's id is not the SHA-256 of the text: have the tool that writes it use SHA-256."


def apollo(*texts: str) -> str:
    operations = [{"id": digest(text), "body": text, "name": text.split()[1], "type": "query"} for text in texts]
    return json.dumps({"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "front" / "board").mkdir(parents=True)
    return tmp_path / "front"


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    return tmp_path / "trusted"


def held(trusted: Path) -> dict[str, str]:
    return {file.stem: file.read_bytes().decode() for file in trusted.iterdir()} if trusted.exists() else {}


async def test_files_and_both_manifests_are_added_as_they_stand(command: Command, source: Path, trusted: Path) -> None:
    (source / "me.graphql").write_text(ME)
    (source / "board" / "deals.gql").write_text(DEALS)
    (source / "manifest.json").write_text(apollo(DEALS, DRAG))
    (source / "board" / "relay.json").write_text(json.dumps({digest("{ __typename }"): "{ __typename }"}))
    (source / "package.json").write_text('{"name": "front"}')
    code, out, err = await command("documents", "add", str(source), "--to", str(trusted))
    assert (code, out, err) == (0, f"Documents trusted in {trusted}: 4, of which new: 4.\n", "")
    assert held(trusted) == {digest(text): text for text in (ME, DEALS, DRAG, "{ __typename }")}


async def test_what_is_there_is_not_new_and_the_setting_names_the_directory(
    command: Command, source: Path, trusted: Path
) -> None:
    (source / "me.graphql").write_text(ME)
    setting = {"TRUSTED_DOCUMENTS": str(trusted)}
    await command("documents", "add", str(source), **setting)
    (source / "board" / "deals.gql").write_text(DEALS)
    code, out, _ = await command("documents", "add", str(source), **setting)
    assert (code, out) == (0, f"Documents trusted in {trusted}: 2, of which new: 1.\n")


async def test_every_fault_is_told_with_its_place_and_nothing_is_added(
    command: Command, source: Path, trusted: Path
) -> None:
    (source / "good.graphql").write_text(ME)
    (source / "board" / "wrong.graphql").write_text("query {\n  me { nmae }\n  nothing\n}")
    (source / "broken.gql").write_text("query { me {")
    (source / "deep.graphql").write_text("{" + "a " * 3000 + "}")
    (source / "fragment.graphql").write_text("fragment F on Member { id }")
    (source / "latin.graphql").write_bytes(b"query { me { id } } # \xe9")
    (source / "manifest.json").write_text(apollo("query Absent { absent }").replace("}]", '}, {"id": "1"}]'))
    (source / "relay.json").write_text(json.dumps({"0" * 32: DEALS}))
    code, out, err = await command("documents", "add", str(source), "--to", str(trusted))
    assert (code, out, held(trusted)) == (1, "", {})
    assert sorted(err.splitlines()) == [
        "board/wrong.graphql:2:8: Cannot query field 'nmae' on type 'Member'. Did you mean 'name'?",
        "board/wrong.graphql:3:3: Cannot query field 'nothing' on type 'Query'.",
        "broken.gql:1:13: Syntax Error: Expected Name, found <EOF>.",
        "deep.graphql: The document has more than 3000 tokens. Split it or select fewer fields.",
        "fragment.graphql:1:1: Fragment 'F' is never used.",
        "latin.graphql: It is not UTF-8: 'utf-8' codec can't decode byte 0xe9 in position 22: unexpected end of data.",
        "manifest.json: Absent:1:16: Cannot query field 'absent' on type 'Query'.",
        "manifest.json: An operation of the manifest lacks its `id` or its `body`.",
        f"relay.json: {'0' * 32}: {NO_DIGEST}",
    ]


async def test_one_file_may_be_named_and_must_hold_documents(command: Command, source: Path, trusted: Path) -> None:
    manifest, other = source / "manifest.json", source / "package.json"
    manifest.write_text(apollo(DEALS))
    other.write_text('{"name": "front"}')
    code, out, _ = await command("documents", "add", str(manifest), "--to", str(trusted))
    assert (code, out) == (0, f"Documents trusted in {trusted}: 1, of which new: 1.\n")
    code, out, err = await command("documents", "add", str(other), "--to", str(trusted))
    assert (code, out, err) == (1, "", "package.json: This is neither a document nor a manifest of them.\n")


REFUSED = [
    (("add", "."), "Name the directory of trusted documents, here or in TRUSTED_DOCUMENTS."),
    (("list",), "Name the directory of trusted documents, here or in TRUSTED_DOCUMENTS."),
    (("add", "board", "--to", "trusted"), "There is no document in board."),
    (("add", "me.graphql", "--to", "me.graphql"), "me.graphql cannot be written: File exists. Nothing was added."),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
async def test_what_cannot_be_done_is_one_sentence(
    command: Command, source: Path, arguments: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "me.graphql").write_text(ME)
    monkeypatch.chdir(source)
    assert await command("documents", *arguments) == (1, "", f"{sentence}\n")


async def test_the_list_shows_hash_and_operations_and_what_no_longer_runs(
    command: Command, source: Path, trusted: Path
) -> None:
    (source / "manifest.json").write_text(apollo(ME, DEALS + " " + DRAG))
    await command("documents", "add", str(source), "--to", str(trusted))
    shown = sorted(
        [f"{digest(ME)}  query Me", f"{digest(DEALS + ' ' + DRAG)}  query Deals, mutation Drag"],
    )
    code, out, err = await command("documents", "list", "--in", str(trusted))
    assert (code, out.splitlines(), err) == (0, shown, "")
    (trusted / f"{digest('{ absent }')}.graphql").write_text("{ absent }")
    (trusted / f"{'0' * 64}.graphql").write_text(ME)
    code, out, err = await command("documents", "list", TRUSTED_DOCUMENTS=str(trusted))
    assert (code, out.splitlines()) == (1, shown)
    assert sorted(err.splitlines()) == sorted(
        [
            f"{'0' * 64}.graphql: The file holds another text than its name says: add the document again.",
            f"{digest('{ absent }')}.graphql:1:3: Cannot query field 'absent' on type 'Query'.",
        ]
    )
