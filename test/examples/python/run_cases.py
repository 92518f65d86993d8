"""Runs the test cases of one class in `cases.py`, and prints their results as JSON: by name, `null` or what went wrong."""

import json
import sys
import unittest

import cases

suite = unittest.defaultTestLoader.loadTestsFromTestCase(getattr(cases, sys.argv[1]))
names = [test._testMethodName for test in suite]
result = unittest.TestResult()
suite.run(result)
# A subtest has the test that it belongs to.
wrong = [(getattr(test, "test_case", test), text) for test, text in [*result.errors, *result.failures]]
print(json.dumps({name: None for name in names} | {test._testMethodName: text for test, text in wrong}))
