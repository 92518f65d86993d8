"""Test cases of `examples/python/sliced_inference.py` against a pipeline that the environment names.

`sliced-inference.test.ts` serves a pipeline for each class, and shows each method as a test.
"""

import array
import functools
import io
import json
import os
import random
import threading
import time
import unittest
import unittest.mock
import warnings

import boto3
import numpy as np
import sliced_inference
from botocore.config import Config
from sliced_inference import InferenceCancelledError, InferenceError, InferenceTimeoutError, SlicedInferenceClient

ARN = os.environ["STATE_MACHINE_ARN"]
NUMERIC = [
    "float32",
    "float64",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
]


@functools.cache
def storage():
    return boto3.client("s3")


@functools.cache
def step_functions(inject_host_prefix=False, read_timeout=60, total_max_attempts=5):
    """A client of one's own. Older releases of boto3 do not read that it must leave the local host as it is."""
    retries = {"total_max_attempts": total_max_attempts}
    config = Config(inject_host_prefix=inject_host_prefix, read_timeout=read_timeout, retries=retries)
    return boto3.client("stepfunctions", config=config)


def values_of(dtype, shape, seed=1):
    """Any bits, which NaN and infinities also have; text for strings."""
    numbers = random.Random(seed)
    count = int(np.prod(shape))
    if dtype == "string":
        items = np.empty(count, dtype=object)
        items[:] = [numbers.choice(["", "ü", "漢字", '"quoted"\n', "a" * 40]) for _ in range(count)]
        return items.reshape(shape)
    size = np.dtype(dtype).itemsize
    data = bytes(numbers.randrange(2 if dtype == "bool" else 256) for _ in range(count * size))
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def every_input(shape=(3,)):
    return {dtype: values_of(dtype, shape) for dtype in [*NUMERIC, "string"]}


class Recorded:
    """A client of boto3 that remembers its calls, and does something before those of one name."""

    def __init__(self, client, before=None, do=None):
        self._client = client
        self._before = before
        self._do = do
        self.calls = []
        self.inputs = []

    def __getattr__(self, name):
        member = getattr(self._client, name)
        if not callable(member):
            return member

        def call(**arguments):
            self.calls.append(name)
            if "input" in arguments:
                self.inputs.append(arguments["input"])
            if name == self._before:
                self._do()
            return member(**arguments)

        return call


class Clock:
    """The clock of the client, which a test can put forward."""

    def __init__(self):
        self._ahead = 0.0
        self._monotonic = time.monotonic

    def advance(self, seconds):
        self._ahead += seconds

    def patched(self):
        return unittest.mock.patch("time.monotonic", lambda: self._monotonic() + self._ahead)


class Case(unittest.TestCase):
    def assert_same(self, result, inputs):
        """Each input `x` has an output `same x`."""
        self.assertEqual(list(result.outputs), [f"same {name}" for name in inputs])
        for name, expected in inputs.items():
            got = result.outputs[f"same {name}"]
            self.assertEqual((got.dtype, got.shape), (expected.dtype, expected.shape), name)
            same = got.tolist() == expected.tolist() if got.dtype == object else got.tobytes() == expected.tobytes()
            self.assertTrue(same, f"{name}: {got} and {expected}")


class EveryType(Case):
    """An Express pipeline that returns what it gets: a tensor of one dimension of each dtype."""

    def setUp(self):
        self.s3 = Recorded(storage())
        self.sfn = Recorded(step_functions(read_timeout=310))
        self.model = SlicedInferenceClient(ARN, s3=self.s3, step_functions=self.sfn)

    def test_small_tensors_of_every_type_travel_inline(self):
        inputs = every_input()
        result = self.model.infer(inputs)
        self.assert_same(result, inputs)
        self.assertEqual(self.s3.calls, [])
        self.assertEqual(self.sfn.calls, ["describe_state_machine", "start_sync_execution"])
        self.assertRegex(result.execution_arn, "^arn:aws:states:.*:express:")
        self.assertEqual([timing["slice"] for timing in result.timings], list(range(len(result.timings))))
        self.assertEqual(result.deployment_digest, self.model.describe().signature.deployment_digest)
        self.assertIsNone(result.served_by)

    def test_large_tensors_of_every_type_travel_through_s3(self):
        inputs = every_input((6000,))
        self.assert_same(self.model.infer(inputs), inputs)
        self.assertEqual(self.s3.calls, ["put_object", "get_object"])

    def test_results_come_from_s3_on_request(self):
        inputs = every_input((2,))
        self.assert_same(self.model.infer(inputs, results="s3"), inputs)
        self.assertEqual(self.s3.calls, ["get_object"])

    def test_results_come_in_the_output_alone_on_request(self):
        inputs = every_input((2,))
        result = self.model.infer(inputs, results="inline")
        self.assert_same(result, inputs)
        self.assertIsNone(result.results_object)
        self.assertEqual(self.s3.calls, [])

    def test_inline_results_that_do_not_fit_are_refused(self):
        with self.assertRaisesRegex(InferenceError, "inline results must have at most 184320 bytes as JSON") as caught:
            self.model.infer(every_input((6000,)), results="inline")
        self.assertEqual(caught.exception.name, "InvalidInput")

    def test_an_unknown_place_of_results_is_refused(self):
        with self.assertRaisesRegex(ValueError, "results must be one of auto, s3, inline, got 'nowhere'"):
            self.model.infer(every_input((2,)), results="nowhere")

    def test_tensors_without_elements_travel_inline_and_through_s3(self):
        inputs = every_input((0,))
        self.assert_same(self.model.infer(inputs), inputs)
        inputs["float32"] = values_of("float32", (70_000,))
        self.assert_same(self.model.infer(inputs, results="s3"), inputs)
        self.assertIn("put_object", self.s3.calls)

    def test_a_request_at_the_limit_travels_inline_and_a_larger_one_through_s3(self):
        limit = 255 * 1024
        room = limit - self.size_of_request(0)
        self.assertEqual(self.size_of_request(room), limit)
        self.assertNotIn("put_object", self.s3.calls)
        self.assertLess(self.size_of_request(room + 1), 200)
        self.assertIn("put_object", self.s3.calls)

    def test_many_short_strings_travel_inline(self):
        self.model.infer({**every_input((1,)), "string": ["a"] * 30_000})
        self.assertNotIn("put_object", self.s3.calls)

    def test_progress_tells_of_the_start_and_the_end(self):
        seen = []
        arn = self.model.infer(every_input(), on_progress=seen.append).execution_arn
        states = [(progress.event, progress.state, progress.execution_arn) for progress in seen]
        self.assertEqual(states, [("started", None, None), ("ended", None, arn)])
        self.assertLessEqual(seen[0].time, seen[1].time)

    def size_of_request(self, characters):
        """The bytes of the input of an execution with a string of this many characters."""
        self.model.infer({**every_input((1,)), "string": ["a" * characters]})
        return len(self.sfn.inputs[-1].encode())

    def test_results_are_writable(self):
        for results in ("auto", "s3"):
            outputs = self.model.infer(every_input(), results=results).outputs
            self.assertTrue(all(tensor.flags.writeable for tensor in outputs.values()))

    def test_lists_take_the_types_of_the_model(self):
        inputs = every_input((2,))
        lists = {
            **inputs,
            "float32": [1, -0.0],
            "float16": [65504.0, 2**-24],
            "float64": (1e308, float("nan")),
            "int32": [],
            "int64": [2**63 - 1, -(2**63)],
            "uint64": [2**64 - 1, 2**53 + 1],
            "bool": [True, False],
            "string": ["a", "ü"],
            "int8": [np.int8(1), np.array(-128, np.int8)],
        }
        expected = {name: np.array(value, dtype=object if name == "string" else name) for name, value in lists.items()}
        self.assert_same(self.model.infer(lists), expected)

    def test_arrays_of_other_layouts_keep_their_values(self):
        floats = np.arange(6, dtype=np.float32)
        inputs = every_input()
        layouts = {
            **inputs,
            "float32": floats[::-2],
            "int64": np.array([1, 2, 3], dtype=">i8"),
            "float64": np.asfortranarray(np.arange(6.0).reshape(3, 2))[:, 1],
            "int32": array.array("i", [1, 2, 3]),
            "string": np.array(["a", "b\N{GREEK SMALL LETTER ALPHA}", ""]),
        }
        expected = {
            **inputs,
            "float32": np.array([5, 3, 1], np.float32),
            "int64": np.array([1, 2, 3]),
            "float64": np.array([1.0, 3.0, 5.0]),
            "int32": np.array([1, 2, 3], np.int32),
            "string": np.array(["a", "bα", ""], dtype=object),
        }
        self.assert_same(self.model.infer(layouts), expected)

    def test_inputs_that_do_not_fit_are_refused_before_anything_is_sent(self):
        inputs = every_input((2,))
        refused = {
            "input 'float32' expects float32[n], got int32[2]: convert it": {"float32": np.zeros(2, np.int32)},
            "input 'int64' expects int64[n], got float64[2]": {"int64": np.zeros(2)},
            "input 'float32' expects float32[n], got float64[]": {"float32": [np.float64(1)]},
            "input 'float16' expects float16[n], got float32[1,2]": {"float16": np.zeros((1, 2), np.float32)},
            "input 'uint8' expects uint8[n], got uint8[1,2]": {"uint8": [[1, 2]]},
            "input 'uint8' expects uint8[n], got uint8[]": {"uint8": 1},
            "input 'string' expects string[n], got bytes[2]": {"string": np.array([b"a", b"b"])},
            "input 'string' expects string[n], got object[2]": {"string": np.array(["a", None], dtype=object)},
            "input 'string' must have elements of Python's str for string, got int at 1": {"string": ["a", 1]},
            "must have strings without NUL and lone surrogates": {"string": ["a\0"]},
            "without NUL and lone surrogates, got others": {"string": ["\ud800"]},
            "input 'int8' must have whole numbers from -128 to 127 for int8, got another at 1": {"int8": [1, 128]},
            "whole numbers from -9223372036854775808 to 9223372036854775807": {"int64": [2**63]},
            "whole numbers from 0 to 18446744073709551615 for uint64": {"uint64": [-1]},
            "input 'int32' must have elements of Python's int for int32, got float at 0": {"int32": [1.5]},
            "elements of Python's int for int32, got bool at 0": {"int32": [True]},
            "elements of Python's int or float for float32, got str at 1": {"float32": [1, "2"]},
            "elements of Python's bool for bool, got int at 0": {"bool": [1]},
            "bools that are bytes of 0 and 1": {"bool": np.array([2], np.uint8).view(bool)},
            "numbers in the range of float16, got larger ones": {"float16": [65520]},
            "numbers in the range of float32, got larger ones": {"float32": [1e39]},
            "numbers in the range of float64, got larger ones": {"float64": [10**400]},
            "must have lists of the same length side by side": {"int16": [[1], [1, 2]]},
        }
        for message, changes in refused.items():
            with self.subTest(message), self.assertRaises(InferenceError) as caught:
                self.model.infer({**inputs, **changes})
            self.assertIn(message, str(caught.exception))
            self.assertEqual((caught.exception.name, caught.exception.execution_arn), ("InvalidInput", None))
            self.assertEqual(caught.exception.tensor, next(iter(changes)))
        self.assertEqual((set(self.sfn.calls), self.s3.calls), ({"describe_state_machine"}, []))

    def test_missing_and_unknown_inputs_are_refused_by_name(self):
        inputs = every_input()
        del inputs["bool"]
        with self.assertRaisesRegex(
            InferenceError, "^InvalidInput: input 'bool' bool\\[n\\] is missing: the request has"
        ):
            self.model.infer(inputs)
        with self.assertRaisesRegex(InferenceError, "the model has no input 'X': it takes 'float32', "):
            self.model.infer({"X": [1]})

    def test_damaged_results_are_read_again_and_then_refused(self):
        inputs = every_input()

        class Damaged(Recorded):
            """Flips a bit in the first results that are read."""

            def __init__(self, client, times, at):
                super().__init__(client)
                self._times, self._at = times, at

            def get_object(self, **arguments):
                self.calls.append("get_object")
                answer = self._client.get_object(**arguments)
                file = bytearray(answer["Body"].read())
                file[self._at(file)] ^= 2 if self.calls.count("get_object") <= self._times else 0
                return {**answer, "Body": io.BytesIO(file)}

        def in_data(file):
            return len(file) - 1

        def in_header(file):
            return file.index(b'"shape":[3]') + 9

        for at, message in [
            (in_data, "tensor '.*' must have the CRC32"),
            (in_header, "the header must have the CRC32"),
        ]:
            s3 = Damaged(storage(), times=2, at=at)
            self.assert_same(SlicedInferenceClient(ARN, s3=s3).infer(inputs, results="s3"), inputs)
            self.assertEqual(s3.calls.count("get_object"), 3)
            s3 = Damaged(storage(), times=3, at=at)
            with self.assertRaisesRegex(InferenceError, f"^CorruptTensor: .* in 3 reads: {message}") as caught:
                SlicedInferenceClient(ARN, s3=s3).infer(inputs, results="s3")
            self.assertRegex(caught.exception.execution_arn, "^arn:aws:states:")

    def test_a_file_has_the_checksums_that_the_guide_documents(self):
        inputs = every_input()
        file = bytearray(sliced_inference.encode_file(inputs))
        self.assertEqual(set(sliced_inference.decode_file(bytes(file))), set(inputs))
        for at in (len(file) - 1, file.index(b'"shape":[3]') + 9):
            file[at] ^= 2
            with self.assertRaises(sliced_inference.ChecksumMismatch):
                sliced_inference.decode_file(bytes(file))
            file[at] ^= 2

    def test_describe_reads_everything_from_the_state_machine(self):
        pipeline = self.model.describe()
        signature, limits = pipeline.signature, pipeline.limits
        self.assertEqual([str(spec) for spec in signature.inputs], [f"{dtype}[n]" for dtype in [*NUMERIC, "string"]])
        self.assertEqual([spec.name for spec in signature.outputs], [f"same {dtype}" for dtype in [*NUMERIC, "string"]])
        self.assertEqual((pipeline.state_machine_arn, pipeline.type), (ARN, "EXPRESS"))
        self.assertEqual((pipeline.bucket, signature.threads), (os.environ["BUCKET"], 1))
        self.assertEqual((limits.request_bytes, limits.execution_input_bytes), (255 * 1024, 256 * 1024))
        self.assertEqual((limits.inline_result_bytes, limits.execution_seconds), (180 * 1024, 300))
        self.assertFalse(signature.preprocess or signature.postprocess)
        self.assertEqual(self.sfn.calls, ["describe_state_machine"])

    def test_calls_ask_again_only_when_an_input_does_not_fit(self):
        inputs = every_input()
        with self.assertRaises(InferenceError):
            self.model.infer({**inputs, "bool": [1]})
        self.model.infer(inputs)
        self.model.infer(inputs)
        self.assertEqual(self.sfn.calls, ["describe_state_machine"] * 2 + ["start_sync_execution"] * 2)

    def test_results_above_the_limit_are_not_read(self):
        model = SlicedInferenceClient(ARN, max_result_bytes=100)
        with self.assertRaisesRegex(
            InferenceError, "^InvalidOutput: .* at most 100 bytes of results, got \\d+: raise max_result_bytes$"
        ) as caught:
            model.infer(every_input(), results="s3")
        self.assertRegex(caught.exception.execution_arn, "^arn:aws:states:")

    def test_results_of_another_place_are_refused(self):
        class Elsewhere(Recorded):
            def start_sync_execution(self, **arguments):
                answer = self._client.start_sync_execution(**arguments)
                return {**answer, "output": answer["output"].replace('"key":"outputs/', '"key":"runs/')}

        sfn = Elsewhere(step_functions(read_timeout=310))
        with self.assertRaisesRegex(InferenceError, "^InvalidOutput: .* results at .*/outputs/.*, got .*/runs/"):
            SlicedInferenceClient(ARN, step_functions=sfn).infer(every_input(), results="s3")

    def test_outputs_that_are_not_those_of_a_pipeline_are_refused(self):
        def without(*names):
            def change(output):
                parent = output
                for name in names[:-1]:
                    parent = parent[name]
                del parent[names[-1]]

            return change

        def with_value(value, *names):
            def change(output):
                parent = output
                for name in names[:-1]:
                    parent = parent[name]
                parent[names[-1]] = value

            return change

        def all_of(*several):
            def change(output):
                for one in several:
                    one(output)

            return change

        tensor = ("outputs", "tensors", "same int8")
        changes = {
            "version 1, got another": with_value(2, "version"),
            "outputs as an object, got none": without("outputs"),
            "outputs as an object, got a list": with_value([], "outputs"),
            "s3 as an object, got none": all_of(without("outputs", "s3"), without("outputs", "tensors")),
            "s3 as an object, got a list": with_value([], "outputs", "s3"),
            "key as a text, got none": without("outputs", "s3", "key"),
            "bucket as a text, got another value": with_value(1, "outputs", "s3", "bucket"),
            "results at .*/outputs/.*, got other-bucket/": with_value("other-bucket", "outputs", "s3", "bucket"),
            r"results at .*, got .*/outputs/\.\./runs/x": with_value("outputs/../runs/x", "outputs", "s3", "key"),
            "run as a text, got none": without("run"),
            "the run [-0-9a-f]{36}/[-0-9a-f]{36} of its execution, got 'other/run'": with_value("other/run", "run"),
            "deploymentDigest as a text, got none": without("deploymentDigest"),
            "servedBy of 'whole' or 'slices', got another": with_value("both", "servedBy"),
            "servedBy of 'whole' or 'slices', got .nother": with_value(None, "servedBy"),
            "timings as a list, got a text": with_value("fast", "timings"),
            "timings as a list of objects": with_value([1], "timings"),
            "tensors as an object, got a list": with_value([], "outputs", "tensors"),
            "a tensor as 'same int8', got a malformed one": without(*tensor, "base64"),
            "malformed one .*another dtype": with_value("complex64", *tensor, "dtype"),
            "malformed one .*cannot reshape": with_value([7], *tensor, "shape"),
            "malformed one .*a size of -1": with_value([-1], *tensor, "shape"),
            "a tensor as 'same string', got a malformed one": with_value(
                [1, 2, 3], "outputs", "tensors", "same string", "data"
            ),
            "the tensors .*'same int8'": without(*tensor),
        }
        for message, change in changes.items():

            class Changed(Recorded):
                def start_sync_execution(self, **arguments):
                    answer = self._client.start_sync_execution(**arguments)
                    output = json.loads(answer["output"])
                    change(output)  # noqa: B023
                    return {**answer, "output": json.dumps(output)}

            with (
                self.subTest(message),
                self.assertRaisesRegex(InferenceError, f"^InvalidOutput: .*{message}") as caught,
            ):
                sfn = Changed(step_functions(read_timeout=310))
                SlicedInferenceClient(ARN, step_functions=sfn).infer(every_input())
            self.assertRegex(caught.exception.execution_arn, "^arn:aws:states:")

    def test_files_that_are_not_those_of_a_pipeline_are_refused(self):
        file = sliced_inference.encode_file(every_input())
        size = int.from_bytes(file[:8], "little")
        header = json.loads(file[8 : 8 + size])
        header["__metadata__"] = {"string_tensor.same string": '{"shape": [1]}'}
        text = json.dumps(header).encode()
        other = len(text).to_bytes(8, "little") + text + file[8 + size :]
        for damaged in (other, file[:-1], file[:20], b"", b"{}" * 20):

            class Damaged(Recorded):
                def get_object(self, **arguments):
                    answer = self._client.get_object(**arguments)
                    return {**answer, "Body": io.BytesIO(damaged)}  # noqa: B023

            with self.assertRaisesRegex(
                InferenceError, "^CorruptTensor: .* must be whole, got damaged ones in 3 reads"
            ):
                SlicedInferenceClient(ARN, s3=Damaged(storage())).infer(every_input(), results="s3")

    def test_a_result_names_the_object_with_all_tensors(self):
        inputs = every_input()
        place = self.model.infer(inputs).results_object
        self.assertEqual(place.bucket, os.environ["BUCKET"])
        body = storage().get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        self.assertEqual(set(sliced_inference.decode_file(body)), {f"same {name}" for name in inputs})

    def test_an_alias_is_started_and_its_state_machine_described(self):
        class Asked(Recorded):
            def describe_state_machine(self, stateMachineArn):
                self.calls.append(stateMachineArn)
                return self._client.describe_state_machine(stateMachineArn=ARN)

            def start_sync_execution(self, stateMachineArn, **arguments):
                self.calls.append(stateMachineArn)
                return self._client.start_sync_execution(stateMachineArn=ARN, **arguments)

        for qualifier, described in (("live", ARN), ("7-green", ARN), ("7", f"{ARN}:7")):
            sfn = Asked(step_functions(read_timeout=310))
            model = SlicedInferenceClient(f"{ARN}:{qualifier}", step_functions=sfn)
            model.infer(every_input())
            self.assertEqual(sfn.calls, [described, f"{ARN}:{qualifier}"])
            self.assertEqual(model.describe().state_machine_arn, f"{ARN}:{qualifier}")

    def test_a_run_that_could_not_be_stopped_is_refused_for_express_before_anything_is_sent(self):
        for call in (
            lambda: self.model.infer(every_input((6000,)), stop_on_cancel=True),
            lambda: self.model.invoke({}, stop_on_cancel=True),
        ):
            with self.assertRaisesRegex(
                InferenceError, "stop_on_cancel expects a Standard state machine, got an Express"
            ):
                call()
        self.assertEqual((set(self.sfn.calls), self.s3.calls), ({"describe_state_machine"}, []))

    def test_invoke_passes_json_through(self):
        numbers = {"dtype": "int8", "shape": [1], "data": [1]}
        tensors = {dtype: {**numbers, "dtype": dtype} for dtype in NUMERIC}
        tensors |= {"bool": {**numbers, "dtype": "bool", "data": [True]}}
        tensors |= {"string": {**numbers, "dtype": "string", "data": ["a"]}}
        invocation = self.model.invoke({"version": 1, "inputs": {"tensors": tensors}})
        self.assertEqual(invocation.output["outputs"]["tensors"]["same int8"]["base64"], "AQ==")
        self.assertRegex(invocation.execution_arn, "^arn:aws:states:")

    def test_invoke_refuses_what_cannot_be_sent(self):
        circle = []
        circle.append(circle)
        for request, message in (
            ("a" * 300_000, "at most 262144 bytes of JSON, got 300002: put large parts into S3"),
            ({1, 2}, "a JSON value, got another .*set"),
            (float("nan"), "a JSON value, got another .*JSON"),
            (circle, "a JSON value, got another .*Circular"),
            ("\ud800", "a JSON value, got another .*surrogates"),
        ):
            with self.assertRaisesRegex(InferenceError, f"the request of invoke must be {message}") as caught:
                self.model.invoke(request)
            self.assertEqual((caught.exception.name, caught.exception.execution_arn), ("InvalidInput", None))
        self.assertEqual(self.sfn.calls, [])

    def test_many_inputs_run_side_by_side_and_come_in_order(self):
        seen = []
        inputs = ({**every_input(), "int64": [index] if index != 4 else [0.5]} for index in range(9))
        outcomes = list(self.model.infer_many(inputs, concurrency=3, on_progress=seen.append))
        self.assertEqual([outcome.index for outcome in outcomes], list(range(9)))
        for outcome in outcomes:
            if outcome.index == 4:
                self.assertEqual((outcome.result, outcome.error.name), (None, "InvalidInput"))
            else:
                self.assertEqual(outcome.result.outputs["same int64"].tolist(), [outcome.index])
        self.assertEqual([progress.done for progress in seen], list(range(1, 10)))
        self.assertEqual((seen[-1].failed, seen[-1].started, seen[-1].total), (1, 9, None))

    def test_many_inputs_are_taken_as_they_are_needed(self):
        taken = []

        def inputs():
            for index in range(1000):
                taken.append(index)
                yield every_input()

        outcomes = self.model.infer_many(inputs(), concurrency=2)
        self.assertEqual(next(outcomes).index, 0)
        outcomes.close()
        self.assertLessEqual(len(taken), 5)

    def test_many_inputs_yield_what_is_ready_while_their_source_waits_for_it(self):
        has_first = threading.Event()

        def inputs():
            yield every_input()
            has_first.wait()
            yield every_input()

        indexes = []
        for outcome in self.model.infer_many(inputs(), concurrency=8):
            indexes.append(outcome.index)
            has_first.set()
        self.assertEqual(indexes, [0, 1])

    def test_an_error_of_many_inputs_comes_after_the_outcomes_before_it(self):
        def inputs():
            yield every_input()
            raise LookupError("no more")

        outcomes = self.model.infer_many(inputs())
        self.assertEqual(next(outcomes).index, 0)
        with self.assertRaisesRegex(LookupError, "no more"):
            next(outcomes)

    def test_masked_arrays_are_refused(self):
        masked = np.ma.masked_array(np.ones(3, np.float32), mask=[1, 0, 0])

        class Holder:
            def __array__(self, dtype=None, copy=None):
                return masked

        for value in (masked, Holder(), [masked[1], masked[0]]):
            with self.assertRaisesRegex(
                InferenceError, "input 'float32' must have all of its values, got a masked array"
            ):
                self.model.infer({**every_input(), "float32": value})

    def test_many_inputs_report_their_number(self):
        seen = []
        list(self.model.infer_many([every_input()] * 2, on_progress=seen.append))
        self.assertEqual([(progress.done, progress.total) for progress in seen], [(1, 2), (2, 2)])
        for concurrency, kind, message in (
            (0, ValueError, "at least 1, got 0"),
            (1.5, TypeError, "a whole number, got float"),
            ("8", TypeError, "a whole number, got str"),
        ):
            with self.assertRaisesRegex(kind, f"concurrency must be {message}"):
                self.model.infer_many([], concurrency=concurrency)

    def test_a_client_that_adds_a_prefix_to_a_local_host_is_refused(self):
        sfn = step_functions(read_timeout=310, inject_host_prefix=True)
        with self.assertRaisesRegex(ValueError, r"create it with Config\(inject_host_prefix=False\)"):
            SlicedInferenceClient(ARN, step_functions=sfn).infer(every_input())

    def test_a_client_with_a_short_read_timeout_is_warned_of(self):
        sfn = step_functions()
        with self.assertWarnsRegex(RuntimeWarning, "read_timeout should be 310 seconds for Express, got 60"):
            SlicedInferenceClient(ARN, step_functions=sfn).infer(every_input())

    def test_an_arn_of_something_else_is_refused(self):
        for arn in ("Machine", "arn:aws:states:eu-west-1:111122223333:execution:Machine:name", "arn:aws:s3:::bucket"):
            with self.assertRaisesRegex(ValueError, "a state machine's ARN must be like"):
                SlicedInferenceClient(arn)

    def test_a_state_machine_without_a_pipeline_is_refused(self):
        class Other(Recorded):
            def describe_state_machine(self, **arguments):
                return {**self._client.describe_state_machine(**arguments), "definition": '{"Comment": "mine"}'}

        with self.assertRaisesRegex(
            InferenceError, "^NotAPipeline: .* must have the signature of a SlicedInferencePipeline, got none"
        ):
            SlicedInferenceClient(ARN, step_functions=Other(step_functions())).describe()


class Standard(Case):
    """A Standard pipeline with an input `x` of float32 and an output `same x`."""

    def test_runs_are_polled_until_they_end(self):
        sfn = Recorded(step_functions())
        x = np.arange(4, dtype=np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = SlicedInferenceClient(ARN, step_functions=sfn).infer({"x": x})
        self.assert_same(result, {"x": x})
        self.assertEqual(sfn.calls[:3], ["describe_state_machine", "start_execution", "describe_execution"])
        self.assertRegex(result.execution_arn, ":execution:")

    def test_large_tensors_travel_through_s3(self):
        x = np.arange(100_000, dtype=np.float32)
        self.assert_same(SlicedInferenceClient(ARN).infer({"x": x}), {"x": x})

    def test_a_run_that_is_not_known_yet_is_waited_for(self):
        class Late(Recorded):
            def describe_execution(self, **arguments):
                self.calls.append("describe_execution")
                if self.calls.count("describe_execution") == 1:
                    arguments = {"executionArn": f"{arguments['executionArn']}-other"}
                return self._client.describe_execution(**arguments)

        x = np.zeros(1, np.float32)
        late = Late(step_functions())
        self.assert_same(SlicedInferenceClient(ARN, step_functions=late).infer({"x": x}), {"x": x})
        self.assertGreaterEqual(late.calls.count("describe_execution"), 2)

    def test_progress_tells_of_the_execution_and_its_states(self):
        seen = []
        result = SlicedInferenceClient(ARN).infer({"x": np.zeros(1, np.float32)}, on_progress=seen.append)
        self.assertEqual((seen[0].event, seen[-1].event), ("started", "ended"))
        self.assertEqual({progress.execution_arn for progress in seen}, {result.execution_arn})
        entered = [progress.state for progress in seen if progress.event == "state_entered"]
        exited = [progress.state for progress in seen if progress.event == "state_exited"]
        self.assertIn("Slice 00", entered)
        self.assertEqual(sorted(entered), sorted(exited))
        self.assertEqual(len(set(entered)), len(entered))

    def test_describe_has_the_timeout_of_the_state_machine(self):
        pipeline = SlicedInferenceClient(ARN).describe()
        self.assertEqual((pipeline.type, pipeline.limits.execution_seconds), ("STANDARD", 300))


class ColdConsolidated(Case):
    """A pipeline with consolidation that has served no run, with an input `x` of float32[batch,16]."""

    def test_the_slices_serve_the_run(self):
        result = SlicedInferenceClient(ARN).infer({"x": np.ones((1, 16), np.float32)})
        self.assertEqual(result.served_by, "slices")
        self.assertEqual([timing["slice"] for timing in result.timings], [0, 1])


class WarmConsolidated(Case):
    """The same pipeline, after its first run has loaded the whole model."""

    def test_the_whole_model_serves_the_run(self):
        result = SlicedInferenceClient(ARN).infer({"x": np.ones((1, 16), np.float32)})
        self.assertEqual(result.served_by, "whole")
        self.assertEqual([timing["whole"] for timing in result.timings], [True])


class Endless(Case):
    """A pipeline that computes until it is stopped, with an input `x` of float32[1,4]."""

    x = np.ones((1, 4), np.float32)

    def setUp(self):
        self.clock = Clock()
        patched = self.clock.patched()
        patched.start()
        self.addCleanup(patched.stop)

    def late(self, recorded=Recorded, before="describe_execution"):
        """A client of boto3 before whose calls of one name a minute passes."""
        client = step_functions(read_timeout=310)
        return recorded(client, before=before, do=lambda: self.clock.advance(60))

    def status(self, arn):
        return step_functions().describe_execution(executionArn=arn)

    def assert_stopped(self, error):
        self.assertTrue(error.stopped)
        execution = self.status(error.execution_arn)
        self.assertEqual((execution["status"], execution["error"]), ("ABORTED", "Cancelled"))
        self.assertRegex(execution["cause"], "^the caller stopped waiting: ")


class EndlessStandard(Endless):
    """The pipeline is Standard."""

    def test_the_end_of_the_waiting_time_leaves_the_run_alone_or_stops_it(self):
        model = SlicedInferenceClient(ARN, step_functions=self.late(), wait_timeout=50)
        with self.assertRaisesRegex(InferenceTimeoutError, "within 50 seconds, got no result: it goes on") as caught:
            model.infer({"x": self.x})
        self.assertFalse(caught.exception.stopped)
        self.assertEqual(self.status(caught.exception.execution_arn)["status"], "RUNNING")
        self.assertIsInstance(caught.exception, TimeoutError)
        with self.assertRaisesRegex(InferenceTimeoutError, "within 40 seconds.*: the execution was stopped") as caught:
            model.infer({"x": self.x}, wait_timeout=40, stop_on_cancel=True)
        self.assert_stopped(caught.exception)

    def test_an_event_ends_the_wait_and_stops_the_run(self):
        cancel = threading.Event()
        sfn = Recorded(step_functions(), before="describe_execution", do=cancel.set)
        with self.assertRaisesRegex(
            InferenceCancelledError, "the wait was cancelled: the execution was stopped"
        ) as caught:
            SlicedInferenceClient(ARN, step_functions=sfn).infer({"x": self.x}, cancel=cancel, stop_on_cancel=True)
        self.assert_stopped(caught.exception)

    def test_a_run_that_cannot_be_stopped_is_reported(self):
        class Refused(Recorded):
            def stop_execution(self, executionArn, **arguments):
                return self._client.stop_execution(executionArn=f"{executionArn}-other", **arguments)

        sfn = self.late(Refused)
        with self.assertRaisesRegex(InferenceError, "^NotStopped: .*ExecutionDoesNotExist") as caught:
            SlicedInferenceClient(ARN, step_functions=sfn).infer({"x": self.x}, wait_timeout=50, stop_on_cancel=True)
        self.assertEqual(self.status(caught.exception.execution_arn)["status"], "RUNNING")

    def test_an_event_that_is_set_starts_nothing(self):
        cancel = threading.Event()
        cancel.set()
        sfn = Recorded(step_functions())
        with self.assertRaisesRegex(InferenceCancelledError, "nothing was started"):
            SlicedInferenceClient(ARN, step_functions=sfn).infer({"x": self.x}, cancel=cancel)
        self.assertEqual(sfn.calls, [])

    def test_an_event_ends_many_runs(self):
        before = self.running()
        cancel = threading.Event()
        sfn = Recorded(step_functions(), before="describe_execution", do=cancel.set)
        model = SlicedInferenceClient(ARN, step_functions=sfn)
        inputs = ({"x": self.x} for _ in range(100))
        with self.assertRaises(InferenceCancelledError):
            list(model.infer_many(inputs, concurrency=2, cancel=cancel, stop_on_cancel=True))
        self.assertIn(sfn.calls.count("start_execution"), (1, 2))
        self.assertEqual(sfn.calls.count("stop_execution"), sfn.calls.count("start_execution"))
        self.assertEqual(self.running(), before)

    def running(self):
        executions = step_functions().list_executions(stateMachineArn=ARN, statusFilter="RUNNING")
        return [execution["executionArn"] for execution in executions["executions"]]

    def test_an_execution_that_another_program_stops_fails(self):
        class Stopping(Recorded):
            def describe_execution(self, executionArn):
                self._client.stop_execution(executionArn=executionArn, error="Enough", cause="by hand")
                return self._client.describe_execution(executionArn=executionArn)

        model = SlicedInferenceClient(ARN, step_functions=Stopping(step_functions()))
        with self.assertRaisesRegex(InferenceError, "^Enough: by hand$") as caught:
            model.infer({"x": self.x})
        self.assertRegex(caught.exception.execution_arn, ":execution:")


class EndlessExpress(Endless):
    """The pipeline is Express."""

    def test_the_waiting_time_ends_the_wait_although_the_request_goes_on(self):
        model = SlicedInferenceClient(ARN, step_functions=self.late(before="start_sync_execution"))
        with self.assertRaisesRegex(InferenceTimeoutError, "within 50 seconds, got no result: it goes on") as caught:
            model.infer({"x": self.x}, wait_timeout=50)
        self.assertEqual((caught.exception.execution_arn, caught.exception.stopped), (None, False))

    def test_an_event_ends_the_wait_although_the_request_goes_on(self):
        cancel = threading.Event()
        client = step_functions(read_timeout=310)
        sfn = Recorded(client, before="start_sync_execution", do=cancel.set)
        with self.assertRaisesRegex(InferenceCancelledError, "the wait was cancelled: it goes on"):
            SlicedInferenceClient(ARN, step_functions=sfn).infer({"x": self.x}, cancel=cancel)

    def test_a_read_timeout_of_ones_own_client_is_told_apart_from_the_waiting_time(self):
        sfn = step_functions(read_timeout=1, total_max_attempts=1)
        with (
            warnings.catch_warnings(),
            self.assertRaisesRegex(InferenceTimeoutError, r"read_timeout of 1 seconds, got no"),
        ):
            warnings.simplefilter("ignore")
            SlicedInferenceClient(ARN, step_functions=sfn).infer({"x": self.x})


class Picky(Case):
    """A pipeline whose first slice fails unless the rows of `x` have four floats."""

    def test_a_failure_names_its_slice_and_its_execution(self):
        with self.assertRaisesRegex(InferenceError, "^SliceFailed: slice 0: ") as caught:
            SlicedInferenceClient(ARN).infer({"x": np.zeros((1, 5), np.float32)})
        error = caught.exception
        self.assertEqual((error.name, error.slice, error.step), ("SliceFailed", 0, None))
        self.assertTrue(str(error).endswith(error.message))
        self.assertRegex(error.execution_arn, "^arn:aws:states:")

    def test_a_refused_request_names_its_tensor(self):
        request = {"version": 1, "inputs": {"tensors": {"x": {"dtype": "int8", "shape": [1, 4], "data": [1, 2, 3, 4]}}}}
        with self.assertRaisesRegex(InferenceError, "^InvalidInput: slice 0: input 'x' expects float32") as caught:
            SlicedInferenceClient(ARN).invoke(request)
        error = caught.exception
        self.assertEqual((error.tensor, error.got), ("x", "int8[1,4]"))
        self.assertEqual(error.expected, "float32[rows,columns]")


class OwnFunctions(Case):
    """A pipeline with functions in front and behind, which take and return any JSON."""

    def test_invoke_takes_and_returns_any_json(self):
        invocation = SlicedInferenceClient(ARN).invoke({"text": "hello"})
        self.assertEqual(sorted(invocation.output), ["label", "slices", "y"])

    def test_infer_is_refused(self):
        with self.assertRaisesRegex(InferenceError, "got one with a preprocess function: use invoke"):
            SlicedInferenceClient(ARN).infer({"x": np.zeros((1, 16), np.float32)})

    def test_a_failure_names_its_step(self):
        with self.assertRaisesRegex(InferenceError, "^TypeError: preprocess: no such text$") as caught:
            SlicedInferenceClient(ARN).invoke({"text": "throw"})
        self.assertEqual((caught.exception.step, caught.exception.slice), ("preprocess", None))
        signature = SlicedInferenceClient(ARN).describe().signature
        self.assertTrue(signature.preprocess and signature.postprocess)


class OwnFunctionsStandard(Case):
    """The same of type Standard, whose causes do not say which function failed."""

    def test_a_failure_names_its_step(self):
        with self.assertRaisesRegex(InferenceError, "^TypeError: preprocess: no such text$") as caught:
            SlicedInferenceClient(ARN).invoke({"text": "throw"})
        self.assertEqual((caught.exception.step, caught.exception.slice), ("preprocess", None))

    def test_a_failure_has_no_step_without_the_permission_to_read_the_history(self):
        class Denied(Recorded):
            def get_execution_history(self, executionArn, **arguments):
                return self._client.get_execution_history(executionArn=f"{executionArn}-other", **arguments)

        with self.assertRaisesRegex(InferenceError, "^TypeError: no such text$") as caught:
            SlicedInferenceClient(ARN, step_functions=Denied(step_functions())).invoke({"text": "throw"})
        self.assertIsNone(caught.exception.step)


class OwnMachine(Case):
    """A state machine of the user that contains a pipeline, and has no signature in its comment."""

    def test_invoke_takes_and_returns_any_json(self):
        sfn = Recorded(step_functions(read_timeout=310))
        model = SlicedInferenceClient(ARN, step_functions=sfn)
        request = {"version": 1, "inputs": {"tensors": {"x": {"dtype": "float32", "shape": [1], "data": [2]}}}}
        for _ in range(2):
            invocation = model.invoke(request)
            self.assertEqual(list(invocation.output["outputs"]["tensors"]), ["same x"])
            self.assertRegex(invocation.execution_arn, ":express:Test-Mine")
        self.assertEqual(sfn.calls, ["describe_state_machine", "start_sync_execution", "start_sync_execution"])

    def test_a_failure_names_the_slice_of_the_pipeline(self):
        with self.assertRaisesRegex(InferenceError, "^InvalidInput: slice 0: ") as caught:
            SlicedInferenceClient(ARN).invoke({"no": "request"})
        self.assertRegex(caught.exception.execution_arn, ":express:Test-Mine")

    def test_it_can_be_neither_described_nor_run_on_tensors(self):
        model = SlicedInferenceClient(ARN)
        for call in (model.describe, lambda: model.infer({"x": [1.0]})):
            with self.assertRaisesRegex(InferenceError, "^NotAPipeline: the comment of .*Test-Mine.* must have"):
                call()
