"""Texts kept in the process: found by hash, bounded in bytes."""

import sys

from gateway.documents.texts import ENTRY_BYTES, KeptTexts, digest


def kept(limit_bytes: int, *texts: str) -> KeptTexts:
    found = KeptTexts(limit_bytes)
    for text in texts:
        found.keep(digest(text), text)
    return found


def test_a_digest_is_the_sha_256_in_lower_case() -> None:
    assert digest("{ __typename }") == "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b"


def test_a_hash_gives_the_very_string_that_was_kept() -> None:
    text = "{ __typename }"
    texts = kept(10_000, text)
    assert texts.get(digest(text)) is text
    assert texts.get(digest("{ me { id } }")) is None


def test_the_least_recently_used_texts_leave_when_the_bytes_are_full() -> None:
    first, second, third = (name * 1000 for name in "abc")
    texts = kept(2 * (sys.getsizeof(first) + ENTRY_BYTES), first, second)
    assert texts.get(digest(first)) is first
    texts.keep(digest(third), third)
    assert [texts.get(digest(text)) for text in (first, second, third)] == [first, None, third]
    assert texts.kept_bytes == 2 * (sys.getsizeof(first) + ENTRY_BYTES)


def test_a_text_kept_twice_counts_once() -> None:
    assert kept(10_000, "{ a }", "{ a }").kept_bytes == kept(10_000, "{ a }").kept_bytes


def test_a_text_larger_than_all_that_is_kept_is_not_kept() -> None:
    texts = kept(ENTRY_BYTES, "{ a }")
    assert (texts.get(digest("{ a }")), texts.kept_bytes) == (None, 0)
