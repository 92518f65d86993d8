"""What callers, state machine and functions agree on. Sizes are bytes of JSON."""

CONTRACT_VERSION = 1
MAX_REQUEST_BYTES = 255 * 1024
MAX_INLINE_RESULT_BYTES = 180 * 1024

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_INPUT_BYTES = 256 * 1024
MAX_EXPRESS_SECONDS = 300

INLINE_MODES = {"auto": "auto", "s3": "never", "inline": "only"}
"""By the place of results: the field ``output.inline`` of a request."""

NUMERIC_DTYPES = (
    *("float32", "float64", "float16", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
)

NAMES_OF_SLICES = ("PlanChanged", "SliceFailed", "WeightsCorrupt")
"""What only slices mean by these names. If a function of the user has one, its error is a ``HandlerError``."""
