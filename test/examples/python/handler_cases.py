"""Test cases of `examples/python/handlers.py`, without a pipeline. `handlers.test.ts` shows each method as a test."""

import base64
import io
import json
import os
import re
import unittest
import unittest.mock

import handlers
import numpy as np
import sliced_inference


class Case(unittest.TestCase):
    def setUp(self):
        self.objects = {}
        storage = unittest.mock.Mock()
        storage.put_object.side_effect = lambda Bucket, Key, Body: self.objects.update({(Bucket, Key): Body})
        storage.get_object.side_effect = lambda Bucket, Key: {"Body": io.BytesIO(self.objects[Bucket, Key])}
        for patched in (
            unittest.mock.patch.object(handlers, "s3", lambda: storage),
            unittest.mock.patch.dict(os.environ, {"SLICED_INFERENCE_BUCKET": "bucket"}),
        ):
            patched.start()
            self.addCleanup(patched.stop)

    def inline(self, array):
        """The array as the request has it."""
        return handlers.request({"x": array})["inputs"]["tensors"]["x"]

    def stored(self, array):
        """The array as the pipeline and its results have it, beside one that is too large for a request."""
        request = handlers.request({"x": array, "large": np.zeros(100_000, np.float32)})
        return sliced_inference.decode_file(self.objects["bucket", request["inputs"]["s3"]])["x"]


class Requests(Case):
    def test_numbers_have_the_names_of_the_contract_in_every_byte_order(self):
        for dtype in handlers.DTYPES:
            array = np.array([[0, 1]], dtype=np.dtype(dtype).newbyteorder(">"))
            expected = np.array([[0, 1]], dtype=dtype)
            data = base64.b64encode(expected.tobytes()).decode()
            self.assertEqual(self.inline(array), {"dtype": dtype, "shape": [1, 2], "base64": data})
            stored = self.stored(array)
            self.assertEqual((stored.dtype.name, stored.tolist()), (dtype, expected.tolist()))

    def test_scalars_keep_their_shape(self):
        for value in (np.float32(2), np.array(2, dtype=">f4"), np.array("text"), np.array(True)):
            self.assertEqual(self.inline(value)["shape"], [])
            self.assertEqual(self.stored(value).shape, ())

    def test_other_layouts_keep_their_values(self):
        for array in (np.arange(6.0).reshape(2, 3).T, np.arange(6)[::-2], np.zeros((0, 3), np.int8)):
            inline = handlers.decoded(self.inline(array))
            self.assertEqual((inline.shape, inline.tolist()), (array.shape, array.tolist()))
            self.assertEqual(self.stored(array).tolist(), array.tolist())

    def test_strings_are_lists_of_text(self):
        for array in (np.array([["a"], ["ü"]]), np.array([["a"], ["ü"]], dtype=object)):
            self.assertEqual(self.inline(array), {"dtype": "string", "shape": [2, 1], "data": ["a", "ü"]})
            self.assertEqual(self.stored(array).tolist(), [["a"], ["ü"]])

    def test_other_kinds_are_refused_with_one_error(self):
        others = [np.zeros(1, np.complex64), np.array([b"a"]), np.array(["a", None]), np.zeros(1, "datetime64[s]")]
        for array in others:
            with self.assertRaisesRegex(
                handlers.InvalidInput, f"^input 'x' must be .* or str, got {re.escape(array.dtype.name)}: "
            ):
                handlers.request({"x": array})

    def test_masked_arrays_are_refused(self):
        masked = np.ma.masked_array([1.0, 2.0], mask=[1, 0])

        class Holder:
            def __array__(self, dtype=None, copy=None):
                return masked

        for value in (masked, Holder()):
            with self.assertRaisesRegex(handlers.InvalidInput, "^input 'x' must have all of its values, got a masked"):
                handlers.request({"x": value})


class Results(Case):
    def test_tensors_of_every_kind_are_read_inline_and_from_s3(self):
        tensors = {"y": np.array([[1, 2]], np.float32), "s": np.array(["a", "ü"], dtype=object), "n": np.array(7)}
        self.objects["bucket", "outputs/run"] = sliced_inference.encode_file(tensors)
        inline = {name: handlers.encoded(tensor) for name, tensor in tensors.items()}
        for outputs in ({"tensors": inline}, {"s3": {"bucket": "bucket", "key": "outputs/run"}}):
            found = handlers.outputs({"outputs": outputs})
            for name, tensor in tensors.items():
                self.assertEqual((found[name].dtype, found[name].tolist()), (tensor.dtype, tensor.tolist()))


class Failures(Case):
    def failure(self, handler, event):
        """The name and the message of the failure that Lambda would report."""
        try:
            handler(event, None)
        except Exception as error:
            return type(error).__name__, str(error)
        raise AssertionError("the handler must fail")

    def test_failures_keep_their_names_and_have_their_step(self):
        name, message = self.failure(handlers.preprocess, {})
        self.assertEqual((name, json.loads(message)), ("KeyError", {"step": "preprocess", "message": "'values'"}))
        name, message = self.failure(handlers.postprocess, {"outputs": {"tensors": {}}})
        self.assertEqual((name, json.loads(message)), ("KeyError", {"step": "postprocess", "message": "'y'"}))
        fields = sliced_inference.parse_failure_cause(json.dumps({"errorMessage": message, "errorType": name}))
        self.assertEqual(fields, {"step": "postprocess", "message": "'y'"})

    def test_messages_are_one_line_without_control_characters(self):
        for text, expected in (
            ("two\n lines\x1b[31m\x00\x9b!", "two lines [31m !"),
            ("a" * 501, "a" * 499 + "…"),
            ("", "ValueError"),
        ):

            @handlers.step("preprocess")
            def fail(event, context):
                raise ValueError(event)

            message = json.loads(self.failure(fail, text)[1])["message"]
            self.assertEqual(message, expected)
