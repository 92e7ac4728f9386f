"""Finished folders get their names together, or not at all."""

import pytest

from replay.session.renames import replace_all


def test_a_rename_that_fails_undoes_those_before_it(tmp_path):
    """The third draft is missing: the first folder is as it was, the second is gone again, and both drafts are still there."""
    for name in ("draft-1", "draft-2", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    moves = [("draft-1", "old"), ("draft-2", "new"), ("draft-3", "newer")]

    with pytest.raises(OSError, match="draft-3"):
        replace_all([(tmp_path / draft, tmp_path / folder) for draft, folder in moves])

    assert ["draft-1", "draft-2", "old"] == sorted(path.name for path in tmp_path.iterdir())
    assert ["old"] == [path.name for path in (tmp_path / "old").iterdir()]


def test_folders_are_replaced_without_a_trace(tmp_path):
    """Where all goes well, drafts and older folders are gone."""
    for name in ("draft", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    replace_all([(tmp_path / "draft", tmp_path / "old")])

    assert ["old/draft"] == [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    assert ["old"] == [path.name for path in tmp_path.iterdir()]
