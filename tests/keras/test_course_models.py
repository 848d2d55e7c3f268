"""Networks as course notes write them for Keras, with one import changed (small data, few epochs)."""

from __future__ import annotations

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import GraphError, ShapeError
from graphdl.keras.callbacks import Callback, EarlyStopping, ModelCheckpoint
from graphdl.keras.layers import LSTM, Activation, Dense, Dropout, Embedding, Flatten, Input, InputLayer, concatenate
from graphdl.keras.models import Model, Sequential
from graphdl.keras.optimizers import SGD
from graphdl.keras.utils import to_categorical

RNG = np.random.default_rng(0)


def test_a_multilayer_perceptron_with_dropout_and_decaying_sgd():
    x_train = RNG.random((200, 20))
    y_train = to_categorical(RNG.integers(10, size=(200, 1)), num_classes=10)
    x_test = RNG.random((20, 20))
    y_test = to_categorical(RNG.integers(10, size=(20, 1)), num_classes=10)

    model = Sequential()
    model.add(Dense(64, activation="relu", input_dim=20))
    model.add(Dropout(0.5))
    model.add(Dense(64, activation="relu"))
    model.add(Dropout(0.5))
    model.add(Dense(10, activation="softmax"))
    sgd = SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True)
    model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
    history = model.fit(x_train, y_train, epochs=3, batch_size=128, verbose=0)
    score = model.evaluate(x_test, y_test, batch_size=128, verbose=0)
    assert len(score) == 2
    assert len(history.history["accuracy"]) == 3


def test_a_functional_model():
    inputs = Input(shape=(784,))
    x = Dense(64, activation="relu")(inputs)
    x = Dense(64, activation="relu")(x)
    predictions = Dense(10, activation="softmax")(x)
    model = Model(inputs=inputs, outputs=predictions)
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    data, labels = RNG.random((40, 784)), to_categorical(RNG.integers(10, size=40), 10)
    model.fit(data, labels, verbose=0)
    assert model.count_params() == 784 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10


def test_the_headline_network_with_two_inputs_and_two_outputs():
    main_input = Input(shape=(12,), dtype="int32", name="main_input")
    x = Embedding(output_dim=16, input_dim=100, input_length=12)(main_input)
    lstm_out = LSTM(8)(x)
    auxiliary_output = Dense(1, activation="sigmoid", name="aux_output")(lstm_out)
    auxiliary_input = Input(shape=(5,), name="aux_input")
    x = concatenate([lstm_out, auxiliary_input])
    for _ in range(3):
        x = Dense(16, activation="relu")(x)
    main_output = Dense(1, activation="sigmoid", name="main_output")(x)
    model = Model(inputs=[main_input, auxiliary_input], outputs=[main_output, auxiliary_output])
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", loss_weights=[1.0, 0.2])
    headlines, extra = RNG.integers(1, 100, (30, 12)), RNG.random((30, 5))
    labels = RNG.integers(0, 2, (30, 1))
    history = model.fit([headlines, extra], [labels, labels], epochs=2, batch_size=32, verbose=0).history
    np.testing.assert_allclose(
        history["loss"], np.add(history["main_output_loss"], np.multiply(0.2, history["aux_output_loss"])), rtol=1e-5
    )
    model.compile(
        optimizer="rmsprop",
        loss={"main_output": "binary_crossentropy", "aux_output": "binary_crossentropy"},
        loss_weights={"main_output": 1.0, "aux_output": 0.2},
    )
    model.fit({"main_input": headlines, "aux_input": extra}, {"main_output": labels, "aux_output": labels}, verbose=0)
    assert [p.shape for p in model.predict([headlines, extra], verbose=0)] == [(30, 1), (30, 1)]


def test_a_fashion_network_with_a_checkpoint(tmp_path, capsys):
    x, y = RNG.random((80, 28, 28)), RNG.integers(0, 10, 80)
    model = Sequential(
        [
            Flatten(input_shape=(28, 28)),
            Dense(64, activation="relu"),
            Dense(32, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["acc"])
    checkpoint_path = str(tmp_path / "my_checkpoint.ckpt")
    checkpoint = ModelCheckpoint(
        filepath=checkpoint_path, save_weights_only=True, save_best_only=True, monitor="val_loss", verbose=1
    )
    history = model.fit(
        x, y, epochs=12, validation_data=(x[:20], 9 - y[:20]), callbacks=[checkpoint], batch_size=10, verbose=0
    )
    best = int(np.argmin(history.history["val_loss"]))
    said = capsys.readouterr().out
    assert ("come back with model.load_weights" in said) == (best != 11)
    model.load_weights(checkpoint_path)
    loss, accuracy = model.evaluate(x[:20], 9 - y[:20], verbose=0)
    assert loss == pytest.approx(min(history.history["val_loss"]), rel=1e-5)
    assert accuracy == pytest.approx(history.history["val_acc"][best])


def test_a_callback_of_ones_own():
    lines = []

    class MyCallback(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            lines.append(f"Training: batch {batch} begins")

        def on_train_batch_end(self, batch, logs=None):
            lines.append(f"Training: batch {batch} ends, {'loss' in logs}")

        def on_test_batch_begin(self, batch, logs=None):
            lines.append(f"Evaluating: batch {batch} begins")

        def on_test_batch_end(self, batch, logs=None):
            lines.append(f"Evaluating: batch {batch} ends")

    model = Sequential([InputLayer((4,)), Dense(1), Activation("linear")])
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    x, y = RNG.random((64, 4)), RNG.random((64, 1))
    model.fit(
        x, y, batch_size=64, epochs=1, verbose=0, callbacks=[MyCallback(), EarlyStopping(monitor="loss", patience=3)]
    )
    model.evaluate(x, y, batch_size=64, verbose=0, callbacks=[MyCallback()])
    assert lines == [
        "Training: batch 0 begins",
        "Training: batch 0 ends, True",
        "Evaluating: batch 0 begins",
        "Evaluating: batch 0 ends",
    ]


def test_a_vision_model_is_shared_by_two_inputs():
    digit_input = Input(shape=(6, 6, 1))
    x = keras.layers.Conv2D(4, (3, 3))(digit_input)
    x = keras.layers.MaxPooling2D((2, 2))(x)
    vision_model = Model(digit_input, Flatten()(x))
    digit_a, digit_b = Input(shape=(6, 6, 1)), Input(shape=(6, 6, 1))
    out = Dense(1, activation="sigmoid")(concatenate([vision_model(digit_a), vision_model(digit_b)]))
    model = Model([digit_a, digit_b], out)
    model.compile("rmsprop", "binary_crossentropy")
    a, b = RNG.random((10, 6, 6, 1)), RNG.random((10, 6, 6, 1))
    before = vision_model.get_weights()
    model.fit([a, b], RNG.integers(0, 2, 10), verbose=0)
    assert model.count_params() == 3 * 3 * 4 + 4 + 32 + 1
    assert all((p != q).any() for p, q in zip(before, vision_model.get_weights(), strict=True))


def test_an_embedding_whose_mask_goes_through_dropout_is_a_layer_and_is_trained():
    words = Input(shape=(5,), dtype="int32")
    read = LSTM(3)(Dropout(0.5)(Embedding(20, 4, mask_zero=True, name="words")(words)))
    model = Model(words, Dense(1)(read))
    model.compile("sgd", "mse")
    assert [layer.name for layer in model.layers] == ["input_layer", "words", "dropout", "lstm", "dense"]
    assert model.count_params() == 20 * 4 + 4 * 3 * (4 + 3 + 1) + 4
    before = model.get_layer("words").get_weights()[0]
    model.fit(RNG.integers(1, 20, (30, 5)), RNG.random((30, 1)), verbose=0)
    changed = (model.get_layer("words").get_weights()[0] != before).any(axis=1)
    assert changed[1:].all()
    assert not changed[0]


def test_a_text_and_a_question_need_not_be_equally_long():
    text, question = Input(shape=(None,), dtype="int32"), Input(shape=(None,), dtype="int32")
    read = [LSTM(3)(Embedding(20, 4)(words)) for words in (text, question)]
    model = Model([text, question], Dense(2)(concatenate(read)))
    assert model.input_shape == [(None, None), (None, None)]
    assert model.predict([np.ones((2, 9)), np.ones((2, 4))], verbose=0).shape == (2, 2)
    with pytest.raises(ShapeError, match=r"unknown lengths may differ: say them, as in Input\(shape=\(100,\)\)"):
        concatenate([Embedding(20, 4)(text), Embedding(20, 4)(question)])


def test_windows_slide_over_texts_of_any_length_a_step_at_a_time():
    words = Input(shape=(None,), dtype="int32")
    seen = keras.layers.Conv1D(3, 5, activation="relu")(Embedding(20, 4)(words))
    model = Model(words, Dense(1)(keras.layers.GlobalMaxPooling1D()(seen)))
    model.compile("sgd", "mse")
    for length in (5, 9):
        texts = RNG.integers(0, 20, (6, length))
        model.fit(texts, np.ones((6, 1)), verbose=0)
        assert model.predict(texts, verbose=0).shape == (6, 1)
    with pytest.raises(ShapeError, match=r"in steps of 2 over a length .* known at run time only; say"):
        keras.layers.MaxPooling1D(2)(seen)


def test_accuracy_as_a_loss_is_answered_with_what_to_take():
    model = Sequential([Dense(2, activation="softmax", input_shape=(3,))])
    with pytest.raises(GraphError, match=r"accuracy is no loss: .* on a cross-entropy, .* metrics=\['accuracy'\]"):
        model.compile("sgd", "accuracy")


def test_what_a_convolutional_network_costs_is_counted_by_hand():
    model = Sequential(
        [
            Input(shape=(28, 28, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            Flatten(),
            Dense(10),
        ]
    )
    lines = []
    model.summary(print_fn=lines.append, show_cost=True)
    products, sums_and_relu = 2 * 28 * 28 * 16 * 9, 2 * 28 * 28 * 16
    pooled, dense = 14 * 14 * 16 * 4, 2 * 3136 * 10 + 10
    table = lines[0]
    assert f"{products + sums_and_relu}*N" in table
    assert f"FLOPs of a batch of N: {products + sums_and_relu + pooled + dense}*N" in table
    numbers = 28 * 28 + 28 * 28 * 16 + 14 * 14 * 16 + 3136 + 10
    assert f"Bytes of its activations: {4 * numbers}*N" in table
