"""Uploads to JD Cloud OSS with credentials from oss-vend, which boto3 fetches and refreshes by itself.

The environment alone says how: by container credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI and
AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE), or by web identity (AWS_ENDPOINT_URL_STS, AWS_ROLE_ARN and
AWS_WEB_IDENTITY_TOKEN_FILE).
"""

import io
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

MB = 1024 * 1024
PARTS = TransferConfig(multipart_threshold=5 * MB, multipart_chunksize=5 * MB)


def main():
    bucket, folder, foreign = (os.environ[name] for name in ("OSS_BUCKET", "OSS_FOLDER", "OSS_FOREIGN_FOLDER"))
    session = boto3.Session(region_name=os.environ["AWS_REGION"])
    # The endpoint is AWS_ENDPOINT_URL_S3.
    s3 = session.client(
        "s3", config=Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"})
    )

    s3.put_object(Bucket=bucket, Key=f"{folder}hello.txt", Body=b"hello")
    print(f"uploaded {folder}hello.txt")

    film = os.urandom(12 * MB)
    key = f"{folder}film.bin"
    s3.upload_fileobj(io.BytesIO(film), bucket, key, Config=PARTS)
    print(f"uploaded {key} in parts")

    downloaded = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if downloaded != film:
        sys.exit(f"{key} has changed on its way")
    print(f"downloaded {key}")

    try:
        s3.put_object(Bucket=bucket, Key=f"{foreign}hello.txt", Body=b"hello")
        sys.exit(f"{foreign}hello.txt should have been refused")
    except ClientError as error:
        print(f"refused {foreign}hello.txt: {error}")

    print("press Enter to upload again, an hour later if you like", flush=True)
    sys.stdin.readline()
    s3.put_object(Bucket=bucket, Key=f"{folder}again.txt", Body=b"hello again")
    print(f"uploaded {folder}again.txt")


try:
    main()
except KeyError as error:
    sys.exit(f"{error.args[0]} is not set")
except (BotoCoreError, ClientError) as error:
    sys.exit(str(error))
except ValueError as error:
    # botocore's own word for a wrong address or token. It does not quote the token.
    hint = ": the token file must hold the token alone, without a line end" if "Auth token" in str(error) else ""
    sys.exit(f"{error}{hint}")
