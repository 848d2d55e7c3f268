"""Words as numbers: a vocabulary learnt from texts, sequences of word numbers, bags of words.

Words are what stands between blanks once punctuation is gone. That suits Korean too as far as it goes: an eojeol is
a word, with its particles; taking them apart is the business of a morphological analyser, given as `analyzer`.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from graphdl.errors import DataError, FormatError
from graphdl.keras.lookup import by_name

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

Words = list[str]
Array = np.ndarray[Any, Any]


def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> Words:
    """The words of a text: the characters in `filters` separate them as `split` does.

    >>> text_to_word_sequence("Not bad -- not bad at all!")
    ['not', 'bad', 'not', 'bad', 'at', 'all']
    """
    if lower:
        text = text.lower()
    separated = text.translate({ord(character): split for character in filters})
    return [word for word in separated.split(split) if word]


def one_hot(text: str, n: int, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[int]:
    """A number from 1 to ``n - 1`` for each word: its hash, so that no vocabulary is needed; some words share one.

    The same in every run and on every machine (CRC-32), unlike Python's own hash.
    """
    return hashing_trick(text, n, None, filters, lower, split)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """As `one_hot`, with a hash function of your own (Weinberger et al. 2009)."""
    if n < 2:
        raise DataError(f"hashing into n={n} numbers, expected 2 or more; 0 stands for no word")
    number = hash_function or _crc
    return [number(word) % (n - 1) + 1 for word in text_to_word_sequence(text, filters, lower, split)]


def _crc(word: str) -> int:
    return zlib.crc32(word.encode())


def without_stop_words(words: Iterable[str], stop_words: Collection[str] | str = "english") -> Words:
    """The words that are not in `stop_words`: a collection, or "english" or "korean" for the lists that come along.

    >>> without_stop_words(["this", "is", "a", "good", "film"])
    ['good', 'film']
    """
    from graphdl.keras.preprocessing import stopwords

    known = {"english": stopwords.ENGLISH, "korean": stopwords.KOREAN}
    if isinstance(stop_words, str):
        stop_words = by_name("list of stop words", stop_words, known)
    return [word for word in words if word not in stop_words]


class Tokenizer:
    """Numbers the words of the texts it is fitted on, the most frequent first, from 1; 0 is no word.

    num_words    only numbers below this one come out: the ``num_words - 1`` most frequent words
    oov_token    stands for words that are not known ("out of vocabulary"), and has the number 1
    char_level   every character is a word
    analyzer     a function from a text to its words, in place of `filters`, `lower` and `split`
    stop_words   words that are left out: a collection, "english" or "korean"; none, as in Keras

    word_index   the numbers by word, of all words; `word_counts` how often each came, `word_docs` in how many texts
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Words] | None = None,
        stop_words: Collection[str] | str = (),
    ) -> None:
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer, self.stop_words = char_level, oov_token, analyzer, stop_words
        self.document_count = 0
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.index_docs: Counter[int] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def words(self, text: str | Sequence[str]) -> Words:
        """The words of a text; a list is taken as words already."""
        if self.char_level or not isinstance(text, str):
            found = [word.lower() if self.lower else word for word in text]
        elif self.analyzer is not None:
            found = list(self.analyzer(text))
        else:
            found = text_to_word_sequence(text, self.filters, self.lower, self.split)
        return without_stop_words(found, self.stop_words) if self.stop_words else found

    def fit_on_texts(self, texts: Iterable[str | Sequence[str]]) -> None:
        """Count the words of the texts, and number them anew; equally frequent ones in the order they came."""
        if isinstance(texts, str):
            raise DataError(f"fit_on_texts takes a list of texts, found one text, {texts!r:.40}")
        for text in texts:
            found = self.words(text)
            self.document_count += 1
            self.word_counts.update(found)
            self.word_docs.update(set(found))
        ordered = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        if self.oov_token is not None:
            ordered.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(ordered, start=1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        self.index_docs = Counter({self.word_index[word]: count for word, count in self.word_docs.items()})

    def fit_on_sequences(self, sequences: Iterable[Sequence[int]]) -> None:
        """Count in how many sequences each number is, for the mode "tfidf"."""
        for sequence in sequences:
            self.document_count += 1
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts: Iterable[str | Sequence[str]]) -> list[list[int]]:
        """The numbers of the words of each text; without `oov_token` unknown words are left out."""
        if isinstance(texts, str):
            raise DataError(f"texts_to_sequences takes a list of texts, found one text, {texts!r:.40}")
        return [list(self._numbers(self.words(text))) for text in texts]

    def _numbers(self, words: Words) -> Iterator[int]:
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for word in words:
            number = self.word_index.get(word)
            if number is not None and self.num_words and number >= self.num_words:
                number = None
            number = unknown if number is None else number
            if number is not None:
                yield number

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words behind the numbers, joined by blanks; 0 and other unknown numbers are left out, or `oov_token`."""
        return [" ".join(self._words_of(sequence)) for sequence in sequences]

    def _words_of(self, sequence: Iterable[int]) -> Iterator[str]:
        for number in sequence:
            word = self.index_word.get(int(number))
            if word is None or (self.num_words and number >= self.num_words):
                word = self.oov_token
            if word is not None:
                yield word

    def texts_to_matrix(self, texts: Iterable[str | Sequence[str]], mode: str = "binary") -> Array:
        """The bag of words of each text as a row: see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> Array:
        """A row for each sequence, with an entry for each word number, whatever their order.

        binary   1 where the word is there
        count    how often
        freq     how often, as a share of the sequence
        tfidf    ``(1 + log count) log(1 + texts / (1 + texts with the word))``: rare words count more
        """
        by_name("mode", mode, dict.fromkeys(_MODES))
        width = self.num_words or len(self.word_index) + 1
        if width == 1:
            raise DataError("the tokenizer knows no words; call fit_on_texts first, or give it num_words")
        if mode == "tfidf" and not self.document_count:
            raise DataError("mode 'tfidf' weighs words by the texts they are in; call fit_on_texts first")
        counts = np.zeros((len(sequences), width))
        for row, sequence in zip(counts, sequences, strict=True):
            numbers = np.asarray(sequence, "int64").reshape(-1)
            np.add.at(row, numbers[numbers < width], 1)
        lengths = np.array([max(1, len(sequence)) for sequence in sequences])[:, None]
        return self._weighted(counts, lengths, mode)

    def _weighted(self, counts: Array, lengths: Array, mode: str) -> Array:
        if mode == "count":
            return counts
        if mode == "freq":
            return counts / lengths
        if mode == "binary":
            return (counts > 0).astype(counts.dtype)
        texts = np.array([self.index_docs.get(number, 0) for number in range(counts.shape[1])])
        weights = np.log(1 + self.document_count / (1 + texts))
        return np.where(counts > 0, (1 + np.log(np.maximum(counts, 1))) * weights, 0.0)

    def to_json(self) -> str:
        """All that the tokenizer has learnt, for `tokenizer_from_json`; in the layout of Keras."""
        config = {name: getattr(self, name) for name in (*_OPTIONS, "document_count")}
        config |= {name: json.dumps(getattr(self, name)) for name in _LEARNT}
        return json.dumps({"class_name": "Tokenizer", "config": config})


_MODES = ("binary", "count", "freq", "tfidf")
_OPTIONS = ("num_words", "filters", "lower", "split", "char_level", "oov_token")
_LEARNT = ("word_counts", "word_docs", "index_docs", "word_index", "index_word")


def tokenizer_from_json(text: str) -> Tokenizer:
    """The tokenizer that `to_json` wrote; one that Keras wrote as well."""
    try:
        config = json.loads(text)["config"]
        learnt = {name: json.loads(config[name]) for name in _LEARNT}
        made = Tokenizer(**{name: config[name] for name in _OPTIONS})
        made.document_count = int(config["document_count"])
        made.word_counts, made.word_docs = Counter(learnt["word_counts"]), Counter(learnt["word_docs"])
        made.word_index = {str(word): int(number) for word, number in learnt["word_index"].items()}
        made.index_word = {int(number): str(word) for number, word in learnt["index_word"].items()}
        made.index_docs = Counter({int(number): count for number, count in learnt["index_docs"].items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"this is no tokenizer's JSON: {error!r:.100}") from None
    return made


__all__ = [
    "Tokenizer",
    "hashing_trick",
    "one_hot",
    "text_to_word_sequence",
    "tokenizer_from_json",
    "without_stop_words",
]
