"""Texts as numbers: the words, their numbers, bags of words, sequences of one length."""

from __future__ import annotations

import json

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import DataError, FormatError, GraphError
from graphdl.keras.preprocessing.sequence import pad_sequences
from graphdl.keras.preprocessing.text import (
    Tokenizer,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
    without_stop_words,
)

TEXTS = ["The cat sat on the mat.", "The dog sat on my homework!", "A cat, a dog; a bird?"]
KOREAN = ["이 영화는 정말 재미있다.", "이 영화는 너무 길다!", "배우는 정말 좋다"]


def test_punctuation_separates_words_and_letters_are_made_small():
    assert text_to_word_sequence("Don't stop-me, NOW!\n") == ["don't", "stop", "me", "now"]
    assert text_to_word_sequence("Keep CASE.", lower=False) == ["Keep", "CASE"]
    assert text_to_word_sequence("a;b c", filters="", split=";") == ["a", "b c"]
    assert text_to_word_sequence("이 영화는, 정말 좋다!") == ["이", "영화는", "정말", "좋다"]


def test_words_are_numbered_from_one_by_how_often_they_come():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    assert list(tokenizer.word_index)[:5] == ["the", "a", "cat", "sat", "on"]
    assert list(tokenizer.word_index.values()) == list(range(1, 11))
    assert tokenizer.word_counts["the"] == 3
    assert tokenizer.word_docs["the"] == 2
    assert tokenizer.document_count == 3
    assert tokenizer.texts_to_sequences(["the cat ate my mat"]) == [[1, 3, 8, 7]]
    assert tokenizer.sequences_to_texts([[1, 3, 0, 99]]) == ["the cat"]


def test_only_the_most_frequent_words_come_out_and_others_may_have_a_stand_in():
    few = Tokenizer(num_words=4)
    few.fit_on_texts(TEXTS)
    assert few.texts_to_sequences(TEXTS) == [[1, 3, 1], [1], [2, 3, 2, 2]]
    marked = Tokenizer(num_words=4, oov_token="?")
    marked.fit_on_texts(TEXTS)
    assert marked.word_index["?"] == 1
    assert marked.texts_to_sequences(["the cat flew"]) == [[2, 1, 1]]
    assert marked.sequences_to_texts([[2, 1, 7]]) == ["the ? ?"]


def test_bags_of_words_are_what_their_names_say():
    tokenizer = Tokenizer(num_words=6)
    tokenizer.fit_on_texts(TEXTS)
    counts = tokenizer.texts_to_matrix(TEXTS, "count")
    assert counts.tolist() == [[0, 2, 0, 1, 1, 1], [0, 1, 0, 0, 1, 1], [0, 0, 3, 1, 0, 0]]
    assert (tokenizer.texts_to_matrix(TEXTS) == (counts > 0)).all()
    lengths = np.array([5, 3, 4])[:, None]
    np.testing.assert_allclose(tokenizer.texts_to_matrix(TEXTS, "freq"), counts / lengths)
    texts_with = np.array([0, 2, 1, 2, 2, 2])
    expected = np.where(counts > 0, (1 + np.log(np.maximum(counts, 1))) * np.log(1 + 3 / (1 + texts_with)), 0)
    np.testing.assert_allclose(tokenizer.texts_to_matrix(TEXTS, "tfidf"), expected)


def test_korean_words_are_numbered_too_and_stop_words_left_out():
    tokenizer = Tokenizer(stop_words="korean")
    tokenizer.fit_on_texts(KOREAN)
    assert tokenizer.word_index == {"영화는": 1, "재미있다": 2, "길다": 3, "배우는": 4, "좋다": 5}
    assert without_stop_words(["this", "film", "is", "great"]) == ["film", "great"]
    assert without_stop_words(["a", "film"], {"film"}) == ["a"]


def test_characters_or_a_users_words_may_be_numbered_instead():
    letters = Tokenizer(char_level=True)
    letters.fit_on_texts(["abba"])
    assert letters.texts_to_sequences(["ab"]) == [[1, 2]]
    halves = Tokenizer(analyzer=lambda text: text.split("|"))
    halves.fit_on_texts(["한국|어", "한국|말"])
    assert halves.word_index == {"한국": 1, "어": 2, "말": 3}
    lists = Tokenizer()
    lists.fit_on_texts([["One", "two"], ["two"]])
    assert lists.word_index == {"two": 1, "one": 2}


def test_a_tokenizer_survives_json_in_the_layout_of_keras():
    tokenizer = Tokenizer(num_words=7, oov_token="?")
    tokenizer.fit_on_texts([*TEXTS, *KOREAN])
    again = tokenizer_from_json(tokenizer.to_json())
    assert again.texts_to_sequences(KOREAN) == tokenizer.texts_to_sequences(KOREAN)
    assert (again.texts_to_matrix(TEXTS, "tfidf") == tokenizer.texts_to_matrix(TEXTS, "tfidf")).all()
    config = json.loads(tokenizer.to_json())
    assert config["class_name"] == "Tokenizer"
    assert json.loads(config["config"]["word_index"])["?"] == 1
    for damaged in ("", "[]", "{}", '{"config": {"word_index": "{}"}}', '{"config": 3}'):
        with pytest.raises(FormatError, match="no tokenizer's JSON"):
            tokenizer_from_json(damaged)


def test_hashed_words_need_no_vocabulary_and_are_the_same_everywhere():
    assert one_hot("123456789", 1 << 40) == [0xCBF43926 + 1], "the check value of CRC-32"
    assert one_hot("the cat the", 1000) == one_hot("the cat", 1000) + one_hot("the", 1000)
    assert all(1 <= number < 10 for number in one_hot("a b c d e f g h", 10))
    assert hashing_trick("xx yyy", 5, len) == [3, 4]
    with pytest.raises(DataError, match="n=1 numbers, expected 2 or more"):
        one_hot("a", 1)


def test_sequences_are_filled_up_and_cut_off_at_either_end():
    given = [[1], [2, 3], [4, 5, 6]]
    assert pad_sequences(given).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert pad_sequences(given, padding="post", value=-1).tolist() == [[1, -1, -1], [2, 3, -1], [4, 5, 6]]
    assert pad_sequences(given, maxlen=2).tolist() == [[0, 1], [2, 3], [5, 6]]
    assert pad_sequences(given, maxlen=2, truncating="post").tolist() == [[0, 1], [2, 3], [4, 5]]
    assert pad_sequences(given, maxlen=4, dtype="float32").dtype == "float32"
    assert pad_sequences([[[1, 2]], [[3, 4], [5, 6]]]).shape == (2, 2, 2)
    assert pad_sequences([[], [1]]).tolist() == [[0], [1]]
    assert pad_sequences([[], []], maxlen=0).shape == (2, 0)
    assert keras.utils.pad_sequences is keras.preprocessing.sequence.pad_sequences


@pytest.mark.parametrize("seed", range(20))
def test_random_texts_agree_with_keras(seed):
    theirs = pytest.importorskip("keras.src.legacy.preprocessing.text")
    random = np.random.default_rng(seed)
    words = [f"w{k}" for k in range(12)]
    texts = [" ".join(random.choice(words, random.integers(0, 9))) + "." for _ in range(8)]
    options = {"num_words": [None, 5, 9][seed % 3], "oov_token": [None, "?"][seed % 2]}
    mine, other = Tokenizer(**options), theirs.Tokenizer(**options)
    for tokenizer in (mine, other):
        tokenizer.fit_on_texts(texts)
    assert mine.word_index == other.word_index
    assert mine.texts_to_sequences([*texts, "new w1"]) == other.texts_to_sequences([*texts, "new w1"])
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(mine.texts_to_matrix(texts, mode), other.texts_to_matrix(texts, mode))


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: Tokenizer().fit_on_texts("one text"), DataError, "takes a list of texts, found one text"),
        (lambda: Tokenizer().texts_to_sequences("one text"), DataError, "takes a list of texts, found one text"),
        (lambda: Tokenizer().texts_to_matrix(["a"]), DataError, "knows no words; call fit_on_texts first"),
        (lambda: Tokenizer(5).texts_to_matrix(["a"], "tfidf"), DataError, "call fit_on_texts first"),
        (lambda: Tokenizer(5).texts_to_matrix(["a"], "bag"), GraphError, "there is no mode 'bag'"),
        (lambda: pad_sequences([1, 2]), DataError, "entry 0 is 1, expected a list of numbers"),
        (lambda: pad_sequences(["ab"]), DataError, "entry 0 is 'ab', expected a list of numbers"),
        (lambda: pad_sequences([[1]], padding="left"), GraphError, "there is no padding 'left'"),
        (lambda: pad_sequences([[[1]], [[1, 2]]]), DataError, r"entries have shapes \(1,\), \(2,\)"),
        (lambda: without_stop_words(["a"], "french"), GraphError, "there is no list of stop words 'french'"),
    ],
)
def test_what_does_not_fit_is_refused(make, kind, text):
    with pytest.raises(kind, match=text):
        make()
