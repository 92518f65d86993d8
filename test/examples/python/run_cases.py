"""Runs the test cases of one class of a module, and prints their results as JSON: by name, `null` or what went wrong."""

import importlib
import json
import sys
import unittest

module, name = sys.argv[1:]
suite = unittest.defaultTestLoader.loadTestsFromTestCase(getattr(importlib.import_module(module), name))
names = [test._testMethodName for test in suite]
result = unittest.TestResult()
suite.run(result)
# A subtest has the test that it belongs to.
wrong = [(getattr(test, "test_case", test), text) for test, text in [*result.errors, *result.failures]]
print(json.dumps(dict.fromkeys(names) | {test._testMethodName: text for test, text in wrong}))
