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
        self.storage = storage = unittest.mock.Mock()
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
        return json.loads(json.dumps(handlers.request({"x": array})["inputs"]["tensors"]["x"]))

    def stored(self, array):
        """The array as the pipeline and its results have it, beside one that is too large for a request."""
        request = handlers.request({"x": array, "large": np.zeros(100_000, np.float32)})
        return sliced_inference.decode_file(self.objects["bucket", request["inputs"]["s3"]])["x"]


class Requests(Case):
    def test_numbers_have_the_names_of_the_contract_in_every_byte_order(self):
        for dtype in sliced_inference.NUMERIC_DTYPES:
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
            inline = sliced_inference.decode_inline("x", self.inline(array))
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
                sliced_inference.InferenceError,
                f"^InvalidInput: input 'x' must be .* or str, got {re.escape(array.dtype.name)}: ",
            ):
                handlers.request({"x": array})

    def test_masked_arrays_are_refused(self):
        masked = np.ma.masked_array([1.0, 2.0], mask=[1, 0])

        class Holder:
            def __array__(self, dtype=None, copy=None):
                return masked

        for value in (masked, Holder()):
            with self.assertRaisesRegex(
                sliced_inference.InferenceError, "'x' must have all of its values, got a masked"
            ):
                handlers.request({"x": value})


class Results(Case):
    tensors = {"y": np.array([[1, 2]], np.float32), "s": np.array(["a", "ü"], dtype=object), "n": np.array(7)}
    key = "outputs/name/uuid.safetensors"

    def output(self, bucket="bucket", key=key):
        return {"run": "name/uuid", "outputs": {"s3": {"bucket": bucket, "key": key}}}

    def assert_same(self, found):
        for name, tensor in self.tensors.items():
            self.assertEqual((found[name].dtype, found[name].tolist()), (tensor.dtype, tensor.tolist()))

    def test_tensors_of_every_kind_are_read_inline_and_from_s3(self):
        self.objects["bucket", self.key] = sliced_inference.encode_file(self.tensors)
        inline = {name: sliced_inference.encode_inline(tensor) for name, tensor in self.tensors.items()}
        self.assert_same(handlers.outputs({"outputs": {"tensors": json.loads(json.dumps(inline))}}))
        self.assert_same(handlers.outputs(self.output()))

    def test_a_bit_that_is_flipped_never_makes_other_arrays(self):
        file = sliced_inference.encode_file(self.tensors)
        refused = 0
        for at in range(8 * len(file)):
            damaged = bytearray(file)
            damaged[at // 8] ^= 1 << at % 8
            self.objects["bucket", self.key] = bytes(damaged)
            try:
                # If the name of the header's checksum is damaged, the tensors have theirs.
                self.assert_same(handlers.outputs(self.output()))
            except sliced_inference.InferenceError as error:
                self.assertRegex(str(error), "^CorruptTensor: outputs/name/uuid.safetensors was damaged in 3 reads: ")
                refused += 1
        self.assertGreater(refused, 8 * len(file) - 8 * len("header_crc32") - 8)

    def test_what_the_network_has_damaged_is_read_again(self):
        file = sliced_inference.encode_file(self.tensors)
        damaged = file[:-1] + bytes([file[-1] ^ 1])
        bodies = [io.BytesIO(damaged), io.BytesIO(file[:-9]), io.BytesIO(file)]
        self.storage.get_object.side_effect = lambda Bucket, Key: {"Body": bodies.pop(0)}
        self.assert_same(handlers.outputs(self.output()))

    def test_the_request_has_the_checksums_that_slices_verify(self):
        key = handlers.request({"x": np.zeros(100_000, np.float32)})["inputs"]["s3"]
        file = bytearray(self.objects["bucket", key])
        self.assertIn(b"header_crc32", file)
        file[-1] ^= 1
        with self.assertRaises(sliced_inference.ChecksumMismatch):
            sliced_inference.decode_file(bytes(file))

    def test_results_of_another_bucket_or_run_are_not_read(self):
        for output in (
            self.output(bucket="another"),
            self.output(key="outputs/name/other.safetensors"),
            self.output(key="inputs/name/uuid.safetensors"),
        ):
            with self.assertRaisesRegex(sliced_inference.InferenceError, "^InvalidOutput: the results must be .*, got"):
                handlers.outputs(output)
        del os.environ["SLICED_INFERENCE_BUCKET"]
        with self.assertRaisesRegex(sliced_inference.InferenceError, "must have the variable SLICED_INFERENCE_BUCKET"):
            handlers.outputs(self.output())
        self.storage.get_object.assert_not_called()


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

    def test_failures_of_the_client_have_its_names(self):
        name, message = self.failure(handlers.postprocess, {"outputs": {"s3": {}}, "run": "name/uuid"})
        self.assertEqual(name, "InvalidOutput")
        self.assertRegex(json.loads(message)["message"], "^the results must be")

    def test_names_that_only_slices_give_are_not_passed_on(self):
        for own in ("PlanChanged", "SliceFailed", "WeightsCorrupt"):

            @handlers.step("postprocess")
            def fail(event, context):
                raise type(event, (Exception,), {})("mine")

            name, message = self.failure(fail, own)
            self.assertEqual(name, "HandlerError")
            self.assertEqual(json.loads(message), {"step": "postprocess", "message": f"{own}: mine"})

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
