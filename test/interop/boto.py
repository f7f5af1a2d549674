"""Uploads with boto3's own credential chain, as the environment configures it, and prints what came of it as JSON."""

import json
import sys

import boto3
import botocore.exceptions
from botocore.config import Config

endpoint, *keys = sys.argv[1:]
config = Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"}, retries={"max_attempts": 0})
session = boto3.Session(region_name="cn-north-1")
try:
    credentials = session.get_credentials()
    result = {"method": credentials and credentials.method}
    if credentials:
        result["accessKey"] = credentials.get_frozen_credentials().access_key
        s3 = session.client("s3", endpoint_url=endpoint, config=config)
        for key in keys:
            try:
                s3.put_object(Bucket="test-app", Key=key, Body=b"hello")
                result[key] = 200
            except botocore.exceptions.ClientError as error:
                result[key] = error.response["Error"]["Code"]
except Exception as error:
    result = {"error": f"{type(error).__name__}: {error}"}
print(json.dumps(result))
