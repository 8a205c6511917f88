import json

import pytest
import yaml

from swarm import documents


@pytest.mark.parametrize("value", ["plain", "ä", "🦀", 'a\\ud83e"\\🦀\\', "\u0085\u007f\u2028\ufeff", "𐀀\U0010ffff"])
def test_a_document_is_text_that_yaml_readers_take_for_the_same(value: str) -> None:
    written = documents.text({value: [value, 1, None]})
    assert yaml.safe_load(written) == {value: [value, 1, None]}


def test_a_document_without_characters_beyond_16_bits_is_plain_json() -> None:
    assert json.loads(documents.text({"ä": "\\ud83e"})) == {"ä": "\\ud83e"}
