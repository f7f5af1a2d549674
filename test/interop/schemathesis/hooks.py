"""What the fuzzer must know of this service beside its OpenAPI document."""

import itertools
import json
import os
import re
import zlib
import xml.etree.ElementTree as ElementTree

import schemathesis

# Each request bears the next of these. Several in the run whose tokens are bad.
TOKENS = json.loads(os.environ["TOKENS"])
ALL_BAD = os.environ.get("ALL_BAD") == "1"
turns = itertools.cycle(TOKENS)


@schemathesis.auth()
class Bearer:
    def get(self, case, context):
        return next(turns)

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.deserializer("text/xml")
def elements(context, response):
    """An answer of STS as nested elements, without their namespace. A malformed one is an error here."""

    def value(element):
        return {name(child): value(child) for child in element} if len(element) else element.text or ""

    def name(element):
        return element.tag.rpartition("}")[2]

    return value(ElementTree.fromstring(response.content))


@schemathesis.check
def refuses_bad_tokens(ctx, response, case):
    """No token of the bad run opens anything, whatever else a request holds."""
    # Anybody may ask a probe, or by OPTIONS what a page may do.
    is_open = case.operation.path in ("/livez", "/readyz") or case.method.upper() != case.operation.method.upper()
    assert not ALL_BAD or is_open or response.status_code >= 400, "a bad token was accepted"


@schemathesis.check
def problem_tells_its_status(ctx, response, case):
    """The members of a problem that repeat what HTTP says agree with it."""
    if response.headers.get("content-type", [""])[0].startswith("application/problem+json") and response.content:
        problem = response.json()
        assert problem["status"] == response.status_code, "another status in the body"
        assert [problem["requestId"]] == response.headers["x-request-id"], "another request id in the body"
        assert response.status_code < 500 or not {"detail", "errors"} & problem.keys(), "a 5xx tells its cause"


PARAMS = {"album-upload": {"album": "trip"}}


@schemathesis.hook
def map_case(context, case):
    """Three of four valid requests have the parameters of their policy, which no schema knows."""
    if not case.meta.generation.mode.is_positive or zlib.crc32(repr((case.query, case.body)).encode()) % 4 == 0:
        return case
    path = case.path_parameters or {}
    if isinstance(case.body, dict) and "params" in case.body:
        params = PARAMS.get(case.body.get("policy", path.get("name")), {})
        case.body = {**case.body, "params": params}
    if case.query and "container" in case.operation.path:
        known = {name: value for name, value in case.query.items() if name.startswith("restrictTo.")}
        case.query = {**known, **PARAMS.get(path["policy"], {})}
    return case


# What a schema has no words for: templates have parameters, longest sessions and keys of their own, one field may not be
# less than another, a form has a size, a key has 1024 bytes and no control characters, and a restriction must be within the policy.
FIELDS_OF_POLICIES = re.compile(
    r"^/(params/|durationSeconds$|minValiditySeconds$|restrictTo\b|minBytes$|key$|keys/\d+$|keyPrefix$)"
)
MESSAGES_OF_POLICIES = re.compile("body is too large|durationSeconds must be .* for this policy")
CODES_OF_POLICIES = {
    "ExpiredTokenException",
    "InvalidIdentityToken",
    "MalformedPolicyDocument",
    "PackedPolicyTooLarge",
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps the finding that a valid request was refused, unless its policy refuses it."""
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 400:
        return True
    if response.headers["content-type"][0].startswith("text/xml"):
        error = elements(None, response)["Error"]
        return error["Code"] not in CODES_OF_POLICIES and not MESSAGES_OF_POLICIES.search(error["Message"])
    errors = response.json().get("errors", [])
    return not errors or not all(FIELDS_OF_POLICIES.match(error["pointer"]) for error in errors)
