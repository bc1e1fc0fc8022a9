"""JSON that is kept belongs to one version of one row, and there is never too much of it."""

import orjson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from backend.fragments import EACH_BYTES, Fragments, closed, opened, page
from backend.ids import new_id
from tests.effort import examples


class Thing(BaseModel):
    name: str
    place: int | None = None


def test_another_version_is_another_text() -> None:
    kept, id_ = Fragments(), new_id()
    assert kept.get(id_, 1) is None
    kept.keep(id_, 1, b"one")
    assert kept.get(id_, 1) == b"one"
    assert kept.get(id_, 2) is None
    kept.keep(id_, 2, b"two")
    assert (kept.get(id_, 1), kept.get(id_, 2)) == (None, b"two")


IDS = [new_id() for _ in range(6)]


@examples(50)
@given(
    st.lists(st.tuples(st.sampled_from(IDS), st.integers(0, 3), st.binary(max_size=400))),
    st.integers(0, 3000),
)
def test_memory_is_bounded_and_nothing_old_is_given(
    steps: list[tuple[object, int, bytes]], most: int
) -> None:
    kept, told = Fragments(most), {}
    for id_, version, text in steps:
        kept.keep(id_, version, text)  # type: ignore[arg-type]
        told[id_] = (version, text)
        held = 0
        for other in IDS:
            for number in range(4):
                found = kept.get(other, number)
                if found is not None:
                    assert told[other] == (number, found)
                    held += len(found) + EACH_BYTES
        assert held <= most


def test_the_least_asked_goes_first() -> None:
    kept = Fragments(2 * (EACH_BYTES + 1))
    first, second, third = new_id(), new_id(), new_id()
    kept.keep(first, 1, b"a")
    kept.keep(second, 1, b"b")
    assert kept.get(first, 1) == b"a"
    kept.keep(third, 1, b"c")
    assert [kept.get(id_, 1) for id_ in (first, second, third)] == [b"a", None, b"c"]


@examples(30)
@given(st.text(), st.integers())
def test_what_is_written_behind_belongs_to_the_object(name: str, place: int) -> None:
    text = closed(opened(Thing(name=name), {"place"}), place=b"%d" % place, more=b"[1]")
    assert orjson.loads(text) == {"name": name, "place": place, "more": [1]}


def test_a_page_is_what_lists_answer() -> None:
    assert orjson.loads(page([b"{}", b"{}"], "x").body) == {"items": [{}, {}], "next_cursor": "x"}
    assert orjson.loads(page([], None).body) == {"items": [], "next_cursor": None}
