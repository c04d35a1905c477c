# SPDX-License-Identifier: Apache-2.0
"""The check that every page of the desk's tests goes through finds what it is for."""

from __future__ import annotations

import pytest

from tests.connectors.desk import markup

GOOD = """<!doctype html><html lang="ja"><head><title>架空</title></head><body><main><h1>見出し</h1><h2>次</h2>
<form method="post"><input type="hidden" name="csrf_token" value="guard"><label for="a">名</label>
<input id="a" name="a"><label>かこみ <select name="b"></select></label><textarea aria-label="文"></textarea>
<button>送る</button></form>
<img alt="" src="x"><div role="img" aria-label="図"><svg></svg></div><p id="p" aria-describedby="a">文</p></main>
</body></html>"""
BAD = {
    "no doctype": ("<!doctype html>", ""),
    "no language": ('lang="ja"', ""),
    "no title": ("<title>架空</title>", "<title> </title>"),
    "two headings": ("<h2>次</h2>", "<h1>次</h1>"),
    "a level left out": ("<h2>次</h2>", "<h3>次</h3>"),
    "no main part": ("main>", "div>"),
    "style on an element": ('<p id="p"', '<p style="color:red" id="p"'),
    "code on an element": ('<p id="p"', '<p onclick="x()" id="p"'),
    "a stylesheet on the page": ("</main>", "<style>p{}</style></main>"),
    "a script on the page": ("</main>", "<script>x()</script></main>"),
    "a field without a label": ('<label for="a">名</label>', ""),
    "a picture without words": ('alt="" src="x"', 'src="x"'),
    "a drawing without words": ('role="img" aria-label="図"', ""),
    "an id twice": ('<p id="p"', '<p id="a"'),
    "a label for nothing": ('<label for="a">名</label>', '<label for="a">名</label><label for="x">名</label>'),
    "a description that is not there": ('aria-describedby="a"', 'aria-describedby="x a"'),
    "a form without its guard": ('name="csrf_token"', 'name="token"'),
}


def test_a_whole_page_passes_and_gives_its_guard() -> None:
    assert markup.check(GOOD) == "guard"


@pytest.mark.parametrize("what", BAD)
def test_the_check_finds(what: str) -> None:
    before, after = BAD[what]
    assert before in GOOD
    with pytest.raises(AssertionError):
        markup.check(GOOD.replace(before, after))
