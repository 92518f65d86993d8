"""Packs: which items a handler answers, how items fail, and how it reads outputs that share an object."""

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import X, output_of, raised

from sliced_inference import InferenceError
from sliced_inference.handlers import outputs, step
from sliced_inference.tensors import encode_file, encode_inline

KIB = 1024


def handled(handler, items, remaining=lambda: 60_000, name="postprocess", seconds=60):
    event = {"pack": items, "until": 1000 * (time.time() + seconds)}
    return step(name)(handler)(event, SimpleNamespace(get_remaining_time_in_millis=remaining))["pack"]


def test_a_handler_answers_each_item():
    seen = []

    def handler(item, context):
        seen.append(context.get_remaining_time_in_millis())
        return {"twice": 2 * item}

    assert handled(handler, [1, 2]) == [{"value": {"twice": 2}}, {"value": {"twice": 4}}]
    assert seen == [60_000] * 2
    assert handled(handler, []) == []


@pytest.mark.parametrize(
    "event",
    [
        {"pack": [1], "until": 1, "more": 2},
        {"pack": [1], "until": "1"},
        {"pack": [1]},
        {"pack": "a", "until": 1},
        [{"pack": [1], "until": 1}],
        {},
        None,
    ],
)
def test_another_event_is_one_item(event):
    assert step("preprocess")(lambda item, _: item)(event, None) == event


@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        (KeyError("values"), "KeyError", "'values'"),
        (InferenceError("InvalidInput", "input 'x'", tensor="x"), "InvalidInput", "input 'x'"),
        (type("SliceFailed", (Exception,), {})("mine"), "HandlerError", "SliceFailed: mine"),
        (ValueError("two\nlines\ud800!"), "ValueError", "two lines !"),
    ],
)
def test_a_failure_concerns_its_item_alone(error, name, message):
    def handler(item, context):
        if item == 1:
            raise error
        return item

    failure = {"failure": {"error": name, "message": message}}
    assert handled(handler, [0, 1, 2]) == [{"value": 0}, failure, {"value": 2}]


CIRCLE = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (X, "another value (Object of type ndarray is not JSON serializable): convert it, an array with tolist()"),
        ({"best": np.float32(1)}, "(Object of type float32 is not JSON serializable)"),
        ({"score": float("nan")}, "(Out of range float values are not JSON compliant"),
        (CIRCLE, "(Circular reference detected)"),
        ("\ud800", "surrogates not allowed)"),
        ({(1, 2): 3}, "(keys must be str"),
        (
            "a" * 119 * KIB,
            f"at most {119 * KIB} bytes of JSON for an item of a batch, got {119 * KIB + 2}: put large values into S3",
        ),
    ],
)
def test_a_value_that_is_no_json_of_a_state_fails_its_item(value, got):
    failed, other = handled(lambda item, _: item, [value, None])
    assert failed["failure"]["error"] == "InvalidOutput"
    assert failed["failure"]["message"].startswith("the function must return ")
    assert got in failed["failure"]["message"]
    assert other == {"value": None}


@pytest.mark.parametrize(
    ("values", "answered"),
    [
        (["a" * 50 * KIB] * 4, 2),
        (["a" * 118 * KIB, "b" * 2 * KIB], 1),
        (["a", "b" * 119 * (KIB - 1)], 2),
        # An escape has six bytes.
        (["é" * 8 * KIB] * 4, 2),
    ],
)
def test_a_handler_answers_as_many_items_as_fit_in_the_state(values, answered):
    answers = handled(lambda item, _: item, values)
    assert answers == [{"value": value} for value in values[:answered]]
    assert len(json.dumps({"pack": answers})) <= 120 * KIB or answered == 1


@pytest.mark.parametrize(("start", "answered"), [(0, 1), (13.9, 1), (14.5, 2), (16.5, 3), (60, 4)])
def test_a_handler_answers_as_many_items_as_fit_in_its_time(advance, start, answered):
    spent = []

    def handler(item, context):
        spent.append(4 if item == 0 else 2)
        advance(spent[-1])
        return item

    # Ten seconds must remain for another one: two, and twice those of the longest.
    assert len(handled(handler, [0, 1, 2, 3], lambda: 1000 * (start - sum(spent)))) == answered


@pytest.mark.parametrize(("seconds", "answered"), [(-1, 1), (1, 1), (60, 3)])
def test_a_handler_answers_as_many_items_as_fit_in_the_time_of_the_pack(seconds, answered):
    assert len(handled(lambda item, _: item, [0, 1, 2], seconds=seconds)) == answered


def test_a_call_that_cannot_tell_its_time_fails_with_its_step():
    error = raised(Exception, None, lambda: step("preprocess")(lambda item, _: item)({"pack": [1], "until": 1}, None))
    assert (type(error).__name__, json.loads(str(error))["step"]) == ("AttributeError", "preprocess")


PACKS = "outputs/nightly-1a2b/"


def output_of_item(entry, key=f"{PACKS}0.safetensors", bucket="bucket", **inline):
    return {**output_of(), "outputs": {"s3": {"bucket": bucket, "key": key}, "entry": entry, **inline}}


def pack_of(entries):
    return encode_file({f"{entry}/y": X + entry for entry in entries})


def test_a_handler_reads_an_object_of_several_items_once_for_each_pack(objects):
    def handler(item, context):
        y = outputs(item)["y"]
        y += 100
        return (outputs(item)["y"] + y).tolist()

    one, two = f"{PACKS}1.safetensors", f"{PACKS}2.safetensors"
    # Each is read once; another read would find nothing.
    objects.update({one: [pack_of(range(12))], two: [pack_of([0])]})
    places = [(0, one), (11, one), (1, one), (0, two)]
    items = [output_of_item(entry, key) for entry, key in places]
    values = [{"value": (2 * (X + entry) + 100).tolist()} for entry, _ in places]
    assert handled(handler, items) == values
    objects[two] = [pack_of([0])]
    assert handled(handler, items[-1:]) == values[-1:]
    assert objects == {one: [], two: []}


def test_a_read_that_fails_fails_one_item(objects):
    objects[f"{PACKS}0.safetensors"] = [OSError("no answer"), pack_of([0, 1])]
    answers = handled(
        lambda item, _: outputs(item)["y"].tolist(), [output_of_item(0), output_of_item(1), output_of_item(2)]
    )
    assert answers[:2] == [{"failure": {"error": "OSError", "message": "no answer"}}, {"value": (X + 1).tolist()}]
    assert answers[2]["failure"]["error"] == "InvalidOutput"
    assert "tensors of the entry 2, got none" in answers[2]["failure"]["message"]


def test_an_output_of_one_item_may_have_its_tensors_inside(objects):
    assert outputs(output_of_item(0, tensors={"y": encode_inline(X)}))["y"].tolist() == X.tolist()
    objects[f"{PACKS}0.safetensors"] = pack_of([0])
    assert outputs(output_of_item(0))["y"].tolist() == X.tolist()


@pytest.mark.parametrize(
    "output",
    [
        *(output_of_item(entry) for entry in (-1, True, 0.5, "0", None)),
        *(output_of_item(0, key) for key in ("inputs/0.safetensors", "outputs/../0.safetensors", "outputs/./0")),
        output_of_item(0, bucket="another"),
    ],
)
def test_an_item_that_is_no_entry_of_an_object_of_the_bucket_is_refused(objects, output):
    error = raised(
        InferenceError, "must have an entry of an object below bucket/outputs/, got ", lambda: outputs(output)
    )
    assert error.name == "InvalidOutput"
