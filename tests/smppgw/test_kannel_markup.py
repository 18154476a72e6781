"""HTML and WML are read as smsbox reads them."""

import pytest

from smppgw.kannel.markup import strip_tags


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a\nb", "a b"),
        ("a\n\nb", "a \nb"),
        ("a\n\n\nb", "a b"),
        ("a  b", "a  b"),
        ("<body onload='x > y'>  Hello   &amp; <b>you</b></body>  ", "Hello & you"),
        ("&eacute;&#65;&#x41;&nope; a&lt;b", "éAA&nope; a<b"),
        ("a<br>b<p>c</p>d", "abcd"),
        ("a<!-- <b>c</b> -->d", "ad"),
        ("&euro;&#8364;&;&#;&amp", "€€&;&#;&amp"),
        ("<script>var x;</script>t", "var x;t"),
        ('unclosed <b title="x', "unclosed"),
        ("&#55296;&#1114112;x", "x"),
    ],
)  # fmt: skip
def test_what_is_left_of_a_page(markup: str, text: str) -> None:
    assert strip_tags(markup) == text
