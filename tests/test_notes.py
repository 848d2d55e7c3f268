"""Code as course notes print it, for TensorFlow 1 and for Keras: only the lines that import are exchanged."""

from __future__ import annotations

import re
from textwrap import dedent

import numpy as np
import pytest

from graphdl import keras

IMPORTS = {
    r"^import tensorflow as tf$": "from graphdl import tf",
    r"^import tensorflow\.keras as keras$": "from graphdl import keras",
    r"^from tensorflow import keras$": "from graphdl import keras",
    r"^from tensorflow\.keras": "from graphdl.keras",
    r"^from keras": "from graphdl.keras",
    r"^import keras$": "from graphdl import keras",
}


def run(code: str, **given):
    """What the names of `code` mean in the end; `given` are data that a reader has at hand."""
    code = dedent(code)
    for line, ours in IMPORTS.items():
        code = re.sub(line, ours, code, flags=re.MULTILINE)
    assert "tensorflow" not in code
    names = {"np": np, **given}
    exec(compile(code, "notes", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def _fresh_seed():
    keras.utils.set_random_seed(0)
    yield
    keras.utils.set_random_seed(0)


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_constants_and_a_session(capsys):
    run(
        """
        import tensorflow as tf
        node1 = tf.constant(3.0, tf.float32)
        node2 = tf.constant(4.0) # also tf.float32 implicitly
        node3 = tf.add(node1, node2)
        print("node3:", node3)
        sess = tf.Session()
        print("sess.run(node1, node2): ", [float(v) for v in sess.run([node1, node2])])
        print("sess.run(node3): ", sess.run(node3))
        """
    )
    assert capsys.readouterr().out.splitlines() == [
        'node3: Node("add", shape=(), dtype=float32)',
        "sess.run(node1, node2):  [3.0, 4.0]",
        "sess.run(node3):  7.0",
    ]


def test_a_line_is_found_by_gradient_descent():
    found = run(
        """
        import tensorflow as tf
        tf.set_random_seed(777)
        X = tf.placeholder(tf.float32, shape=[None])
        Y = tf.placeholder(tf.float32, shape=[None])
        W = tf.Variable(tf.random_normal([1]), name='weight')
        b = tf.Variable(tf.random_normal([1]), name='bias')
        hypothesis = X * W + b
        cost = tf.reduce_mean(tf.square(hypothesis - Y))
        optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.01)
        train = optimizer.minimize(cost)
        sess = tf.Session()
        sess.run(tf.global_variables_initializer())
        for step in range(2001):
            cost_val, W_val, b_val, _ = sess.run([cost, W, b, train],
                feed_dict={X: [1, 2, 3, 4, 5], Y: [2.1, 3.1, 4.1, 5.1, 6.1]})
        told = sess.run(hypothesis, feed_dict={X: [1.5, 3.5]})
        """
    )
    np.testing.assert_allclose([found["W_val"][0], found["b_val"][0]], [1.0, 1.1], atol=2e-3)
    np.testing.assert_allclose(found["told"], [2.6, 4.6], atol=2e-3)
    assert found["cost_val"] < 1e-5


def test_xor_with_variables_of_ones_own():
    found = run(
        """
        import tensorflow as tf
        tf.set_random_seed(3)
        x_data = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
        y_data = np.array([[0], [1], [1], [0]], dtype=np.float32)
        X = tf.placeholder(tf.float32, [None, 2])
        Y = tf.placeholder(tf.float32, [None, 1])
        W1 = tf.Variable(tf.random_uniform([2, 2], -1.0, 1.0), name='weight1')
        W2 = tf.Variable(tf.random_uniform([2, 1], -1.0, 1.0), name='weight2')
        b1 = tf.Variable(tf.zeros([2]), name='bias1')
        b2 = tf.Variable(tf.zeros([1]), name='bias2')
        L2 = tf.sigmoid(tf.matmul(X, W1) + b1)
        hypothesis = tf.sigmoid(tf.matmul(L2, W2) + b2)
        cost = -tf.reduce_mean(Y * tf.log(hypothesis) + (1 - Y) * tf.log(1 - hypothesis))
        train = tf.train.GradientDescentOptimizer(learning_rate=0.1).minimize(cost)
        predicted = tf.cast(hypothesis > 0.5, dtype=tf.float32)
        accuracy = tf.reduce_mean(tf.cast(tf.equal(predicted, Y), dtype=tf.float32))
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for step in range(10001):
                sess.run(train, feed_dict={X: x_data, Y: y_data})
            h, c, a = sess.run([hypothesis, predicted, accuracy], feed_dict={X: x_data, Y: y_data})
        """
    )
    assert found["a"] == 1
    assert found["c"].ravel().tolist() == [0, 1, 1, 0]
    assert np.abs(found["h"].ravel() - [0, 1, 1, 0]).max() < 0.1


def test_softmax_over_three_classes():
    found = run(
        """
        import tensorflow as tf
        x_data = [[1, 2, 1, 1], [2, 1, 3, 2], [3, 1, 3, 4], [4, 1, 5, 5],
                  [1, 7, 5, 5], [1, 2, 5, 6], [1, 6, 6, 6], [1, 7, 7, 7]]
        y_data = [[0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]]
        X = tf.placeholder("float", [None, 4])
        Y = tf.placeholder("float", [None, 3])
        W = tf.Variable(tf.truncated_normal([4, 3], stddev=0.5), name='weight')
        b = tf.Variable(tf.zeros([3]), name='bias')
        hypothesis = tf.nn.softmax(tf.matmul(X, W) + b)
        cost = tf.reduce_mean(-tf.reduce_sum(Y * tf.log(hypothesis), axis=1))
        optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.1).minimize(cost)
        with tf.Session() as sess:
            sess.run(tf.initialize_all_variables())
            for step in range(2001):
                sess.run(optimizer, feed_dict={X: x_data, Y: y_data})
            a = sess.run(hypothesis, feed_dict={X: x_data})
            classes = sess.run(tf.argmax(a, 1))
        """
    )
    np.testing.assert_allclose(found["a"].sum(axis=1), 1, rtol=1e-5)
    assert found["classes"].tolist() == [2, 2, 2, 1, 1, 1, 0, 0]


def test_a_network_of_convolutions(random):
    x = random.normal(size=(40, 20, 20, 3))
    y = random.integers(0, 2, 40)
    x[y == 1, 4:8, 4:8] += 2
    found = run(
        """
        import keras
        from keras.models import Sequential
        from keras.layers import Dense, Dropout, Flatten
        from keras.layers import Conv2D, MaxPooling2D
        from keras.optimizers import SGD

        model = Sequential()
        model.add(Conv2D(8, (3, 3), activation='relu', input_shape=(20, 20, 3)))
        model.add(Conv2D(8, (3, 3), activation='relu'))
        model.add(MaxPooling2D(pool_size=(2, 2)))
        model.add(Dropout(0.25))
        model.add(Conv2D(16, (3, 3), padding='SAME', activation='relu'))
        model.add(MaxPooling2D(padding='SAME'))
        model.add(Flatten())
        model.add(Dense(32, activation='relu'))
        model.add(Dropout(0.5))
        model.add(Dense(2, activation='softmax'))
        sgd = SGD(lr=0.05, decay=1e-6, momentum=0.9, nesterov=True)
        model.compile(loss='categorical_crossentropy', optimizer=sgd)
        history = model.fit(x_train, y_train, batch_size=8, epochs=8, verbose=0)
        score = model.evaluate(x_train, y_train, batch_size=32, verbose=0)
        """,
        x_train=x,
        y_train=keras.utils.to_categorical(y, 2),
    )
    shapes = [layer.output.shape[1:] for layer in found["model"].layers]
    assert shapes[:3] == [(18, 18, 8), (16, 16, 8), (8, 8, 8)]
    assert shapes[4:7] == [(8, 8, 16), (4, 4, 16), (256,)]
    assert found["model"].count_params() == 27 * 8 + 8 + 72 * 8 + 8 + 72 * 16 + 16 + 256 * 32 + 32 + 66
    assert found["score"] < 0.3 < found["history"].history["loss"][0]


@pytest.mark.parametrize("reader", ["SimpleRNN(16)", "LSTM(16)", "Bidirectional(LSTM(8))"])
def test_words_are_embedded_and_read(reader, random):
    words = random.integers(1, 20, (200, 6))
    found = run(
        f"""
        from keras.models import Sequential
        from keras.layers import Dense, Embedding, SimpleRNN, LSTM, Bidirectional
        model = Sequential()
        model.add(Embedding(input_dim=20, output_dim=8, input_length=6))
        model.add({reader})
        model.add(Dense(1, activation='sigmoid'))
        model.compile(optimizer='rmsprop', loss='binary_crossentropy', metrics=['acc'])
        history = model.fit(input_train, y_train, epochs=40, batch_size=16, validation_split=0.2, verbose=0)
        acc = history.history['acc']
        val_acc = history.history['val_acc']
        classes = model.predict_classes(input_train)
        """,
        input_train=words,
        y_train=words[:, -1] > 10,
    )
    assert found["acc"][-1] > 0.95
    assert found["val_acc"][-1] > 0.9
    assert found["classes"].shape == (200, 1)
    assert set(found["classes"].ravel()) == {0, 1}
    assert found["model"].input_shape == (None, 6)


def test_long_short_term_memories_on_top_of_each_other(random):
    found = run(
        """
        from keras.models import Sequential
        from keras.layers import LSTM, Dense
        data_dim = 16
        timesteps = 8
        num_classes = 10
        # expected input data shape: (batch_size, timesteps, data_dim)
        model = Sequential()
        model.add(LSTM(32, return_sequences=True,
                       input_shape=(timesteps, data_dim)))  # returns a sequence of vectors of dimension 32
        model.add(LSTM(32, return_sequences=True))  # returns a sequence of vectors of dimension 32
        model.add(LSTM(32))  # return a single vector of dimension 32
        model.add(Dense(10, activation='softmax'))
        model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
        model.fit(x_train, y_train, batch_size=64, epochs=1, validation_data=(x_val, y_val), verbose=0)
        """,
        x_train=random.random((64, 8, 16)),
        y_train=random.random((64, 10)),
        x_val=random.random((8, 8, 16)),
        y_val=random.random((8, 10)),
    )
    assert found["model"].count_params() == 4 * 32 * (16 + 32 + 1) + 2 * 4 * 32 * (32 + 32 + 1) + 330
    assert [layer.output.shape[1:] for layer in found["model"].layers] == [(8, 32), (8, 32), (32,), (10,)]


def test_two_tweets_are_read_by_one_layer(random):
    tweets = random.random((8, 14, 5))
    found = run(
        """
        import keras
        from keras.layers import Input, LSTM, Dense
        from keras.models import Model
        tweet_a = Input(shape=(14, 5))
        tweet_b = Input(shape=(14, 5))
        # (it is effectively *the same* layer)
        shared_lstm = LSTM(6)
        encoded_a = shared_lstm(tweet_a)
        encoded_b = shared_lstm(tweet_b)
        merged_vector = keras.layers.concatenate([encoded_a, encoded_b], axis=-1)
        predictions = Dense(1, activation='sigmoid')(merged_vector)
        model = Model(inputs=[tweet_a, tweet_b], outputs=predictions)
        model.compile(optimizer='rmsprop', loss='binary_crossentropy', metrics=['accuracy'])
        model.fit([data_a, data_b], labels, epochs=2, verbose=0)
        a, b = Model([tweet_a, tweet_b], [encoded_a, encoded_b]).predict([data_a, data_a], verbose=0)
        """,
        data_a=tweets,
        data_b=tweets[::-1],
        labels=random.integers(0, 2, 8),
    )
    assert found["model"].count_params() == 4 * 6 * (5 + 6 + 1) + 13
    np.testing.assert_array_equal(found["a"], found["b"])


def test_a_text_and_a_question_meet(random):
    found = run(
        """
        from keras.models import Model
        from keras import layers
        from keras import Input
        text_input = Input(shape=(None,), dtype='int32', name='text')
        embedded_text = layers.Embedding(50, 16)(text_input)
        encoded_text = layers.LSTM(8)(embedded_text)
        question_input = Input(shape=(None,), dtype='int32', name='question')
        embedded_question = layers.Embedding(50, 8)(question_input)
        encoded_question = layers.LSTM(4)(embedded_question)
        concatenated = layers.concatenate([encoded_text, encoded_question], axis=-1)
        answer = layers.Dense(7, activation='softmax')(concatenated)
        model = Model([text_input, question_input], answer)
        model.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['acc'])
        model.fit([text, question], answers, epochs=1, batch_size=128, verbose=0)
        model.fit({'text': text, 'question': question}, answers, epochs=1, batch_size=128, verbose=0)
        chances = model.predict([text[:, :5], question], verbose=0)
        """,
        text=random.integers(1, 50, (20, 12)),
        question=random.integers(1, 50, (20, 4)),
        answers=np.eye(7)[random.integers(0, 7, 20)],
    )
    assert found["chances"].shape == (20, 7)
    np.testing.assert_allclose(found["chances"].sum(axis=1), 1, rtol=1e-5)


def test_age_income_and_gender_of_who_writes(random):
    found = run(
        """
        from keras import layers
        from keras import Input
        from keras.models import Model
        posts_input = Input(shape=(100,), dtype='int32', name='posts')
        embedded_posts = layers.Embedding(500, 16)(posts_input)
        x = layers.Conv1D(12, 5, activation='relu')(embedded_posts)
        x = layers.MaxPooling1D(5)(x)
        x = layers.Conv1D(16, 5, activation='relu')(x)
        x = layers.GlobalMaxPooling1D()(x)
        x = layers.Dense(12, activation='relu')(x)
        age_prediction = layers.Dense(1, name='age')(x)
        income_prediction = layers.Dense(10, activation='softmax', name='income')(x)
        gender_prediction = layers.Dense(1, activation='sigmoid', name='gender')(x)
        model = Model(posts_input, [age_prediction, income_prediction, gender_prediction])
        model.compile(optimizer='rmsprop', loss=['mse', 'categorical_crossentropy', 'binary_crossentropy'],
                      loss_weights=[0.25, 1., 10.])
        first = model.fit(posts, [age_targets, income_targets, gender_targets], epochs=2, batch_size=64, verbose=0)
        model.compile(optimizer='rmsprop',
                      loss={'age': 'mse', 'income': 'categorical_crossentropy', 'gender': 'binary_crossentropy'},
                      loss_weights={'age': 0.25, 'income': 1., 'gender': 10.})
        history = model.fit(posts, {'age': age_targets, 'income': income_targets, 'gender': gender_targets},
                            epochs=2, batch_size=64, verbose=0)
        """,
        posts=random.integers(1, 500, (40, 100)),
        age_targets=random.integers(0, 100, (40, 1)),
        income_targets=np.eye(10)[random.integers(0, 10, 40)],
        gender_targets=random.integers(0, 2, (40, 1)),
    )
    for scores in (found["first"].history, found["history"].history):
        parts = zip(scores["age_loss"], scores["income_loss"], scores["gender_loss"], strict=True)
        np.testing.assert_allclose(scores["loss"], [0.25 * a + i + 10 * g for a, i, g in parts], rtol=1e-5)


def test_towers_of_an_inception_and_a_shortcut():
    found = run(
        """
        import keras
        from keras.layers import Conv2D, MaxPooling2D, Input
        input_img = Input(shape=(256, 256, 3))
        tower_1 = Conv2D(64, (1, 1), padding='same', activation='relu')(input_img)
        tower_1 = Conv2D(64, (3, 3), padding='same', activation='relu')(tower_1)
        tower_2 = Conv2D(64, (1, 1), padding='same', activation='relu')(input_img)
        tower_2 = Conv2D(64, (5, 5), padding='same', activation='relu')(tower_2)
        tower_3 = MaxPooling2D((3, 3), strides=(1, 1), padding='same')(input_img)
        tower_3 = Conv2D(64, (1, 1), padding='same', activation='relu')(tower_3)
        output = keras.layers.concatenate([tower_1, tower_2, tower_3], axis=1)
        y = Conv2D(3, (3, 3), padding='same')(input_img)
        # this returns x + y.
        z = keras.layers.add([input_img, y])
        """
    )
    assert found["output"].shape[1:] == (768, 256, 64)
    assert found["z"].shape[1:] == (256, 256, 3)


def test_a_film_is_watched_and_a_question_about_it_read():
    found = run(
        """
        import keras
        from keras.layers import Conv2D, MaxPooling2D, Flatten
        from keras.layers import Input, LSTM, Embedding, Dense
        from keras.models import Model, Sequential
        vision_model = Sequential()
        vision_model.add(Conv2D(4, (3, 3), activation='relu', padding='same', input_shape=(8, 8, 3)))
        vision_model.add(MaxPooling2D((2, 2)))
        vision_model.add(Flatten())
        image_input = Input(shape=(8, 8, 3))
        encoded_image = vision_model(image_input)
        question_input = Input(shape=(10,), dtype='int32')
        embedded_question = Embedding(input_dim=100, output_dim=6, input_length=10)(question_input)
        encoded_question = LSTM(5)(embedded_question)
        merged = keras.layers.concatenate([encoded_question, encoded_image])
        output = Dense(20, activation='softmax')(merged)
        vqa_model = Model(inputs=[image_input, question_input], outputs=output)
        from keras.layers import TimeDistributed
        video_input = Input(shape=(4, 8, 8, 3))
        encoded_frame_sequence = TimeDistributed(vision_model)(video_input)
        encoded_video = LSTM(5)(encoded_frame_sequence)
        question_encoder = Model(inputs=question_input, outputs=encoded_question)
        video_question_input = Input(shape=(10,), dtype='int32')
        encoded_video_question = question_encoder(video_question_input)
        merged = keras.layers.concatenate([encoded_video, encoded_video_question])
        output = Dense(20, activation='softmax')(merged)
        video_qa_model = Model(inputs=[video_input, video_question_input], outputs=output)
        answer = video_qa_model.predict([np.ones((2, 4, 8, 8, 3)), np.ones((2, 10))], verbose=0)
        """
    )
    vision, question = 27 * 4 + 4, 100 * 6 + 4 * 5 * (6 + 5 + 1)
    assert found["vqa_model"].count_params() == vision + question + (5 + 64 + 1) * 20
    assert found["video_qa_model"].count_params() == vision + question + 4 * 5 * (64 + 5 + 1) + 11 * 20
    assert found["answer"].shape == (2, 20)


def test_digits_within_a_minute_of_reading(shared_data):
    found = run(
        """
        import tensorflow as tf
        x_train, x_test = x_train / 255.0, x_test / 255.0
        model = tf.keras.models.Sequential([
          tf.keras.layers.Flatten(input_shape=(28, 28)),
          tf.keras.layers.Dense(128, activation='relu'),
          tf.keras.layers.Dropout(0.2),
          tf.keras.layers.Dense(10)
        ])
        loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer='adam', loss=loss_fn, metrics=['accuracy'])
        model.fit(x_train, y_train, epochs=2, verbose=0)
        loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
        probability_model = tf.keras.Sequential([
          model,
          tf.keras.layers.Softmax()
        ])
        chances = probability_model.predict(x_test[:5], verbose=0)
        """,
        **_digits(shared_data),
    )
    assert found["accuracy"] > 0.88
    np.testing.assert_allclose(found["chances"].sum(axis=1), 1, rtol=1e-5)


def _digits(folder):
    x, y = keras.datasets.idx.load(
        folder / "mnist-t10k-images-idx3-ubyte.gz", folder / "mnist-t10k-labels-idx1-ubyte.gz"
    )
    return {"x_train": x[:4000], "y_train": y[:4000], "x_test": x[8000:], "y_test": y[8000:]}


def test_stopping_early_with_dots_for_epochs(random, capsys):
    found = run(
        """
        import tensorflow as tf
        from tensorflow import keras
        from keras.utils import np_utils
        y = np_utils.to_categorical(labels)
        model = keras.Sequential([keras.layers.Dense(8, activation=tf.nn.relu, input_shape=[4]),
                                  keras.layers.Dense(3, activation=tf.nn.softmax)])
        optimizer = tf.keras.optimizers.RMSprop(0.01)
        model.compile(loss='categorical_crossentropy', optimizer=optimizer, metrics=['acc'])
        class PrintDot(keras.callbacks.Callback):
          def on_epoch_end(self, epoch, logs):
            if epoch % 100 == 0: print('')
            print('.', end='')
        early_stop = keras.callbacks.EarlyStopping(monitor='val_loss', patience=2)
        history = model.fit(x, y, epochs=200, validation_split=0.2, verbose=0, callbacks=[early_stop, PrintDot()])
        """,
        x=random.normal(size=(40, 4)),
        labels=random.integers(0, 3, 40),
    )
    scores = found["history"].history["val_loss"]
    assert len(scores) == found["early_stop"].stopped_epoch + 1 < 200
    assert int(np.argmin(scores)) == len(scores) - 3
    assert capsys.readouterr().out.count(".") >= len(scores)


def test_a_model_is_plotted_with_one_card_a_layer(tmp_path):
    run(
        """
        from keras.models import Sequential
        from keras.layers import Dense, Activation
        from keras.utils import plot_model
        model = Sequential()
        model.add(Dense(32, input_dim=784))
        model.add(Activation('relu'))
        plot_model(model, to_file=path, show_shapes=True, show_layer_names=True)
        """,
        path=tmp_path / "model.svg",
    )
    drawn = (tmp_path / "model.svg").read_text("utf-8")
    assert all(text in drawn for text in ("dense", "activation", "(784, 32)", "(N, 32)"))
