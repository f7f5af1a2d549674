"""Assumes a role with JD Cloud's own Python SDK, as its documentation shows, and prints the answer as JSON."""

import json
import sys

import requests
from jdcloud_sdk.core.config import Config
from jdcloud_sdk.core.credential import Credential
from jdcloud_sdk.core.logger import FATAL, Logger
from jdcloud_sdk.services.sts.apis.AssumeRoleRequest import AssumeRoleParameters, AssumeRoleRequest
from jdcloud_sdk.services.sts.client.StsClient import StsClient
from jdcloud_sdk.services.sts.models.AssumeRoleInfo import AssumeRoleInfo

scheme, host, access_key, secret_key, info = sys.argv[1:]
sent = {}
send = requests.request


def watch(method, url, **options):
    sent.update(options["headers"])
    return send(method, url, **options)


requests.request = watch
client = StsClient(Credential(access_key, secret_key), Config(host, scheme), Logger(FATAL))
answer = client.send(AssumeRoleRequest(AssumeRoleParameters(AssumeRoleInfo(**json.loads(info)))))
print(
    json.dumps(
        {
            "algorithm": sent["Authorization"].split(" ")[0],
            "signedHeaders": sent["Authorization"].split("SignedHeaders=")[1].split(",")[0],
            "result": answer.result,
            "error": answer.error and vars(answer.error),
        }
    )
)
