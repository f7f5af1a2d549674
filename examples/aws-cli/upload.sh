#!/bin/sh
# Uploads to JD Cloud OSS with credentials from oss-vend, which the AWS CLI fetches by itself. The environment alone
# says how: by container credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE),
# or by web identity (AWS_ENDPOINT_URL_STS, AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE). Where the service has a
# certificate of a CA of your own, as with `npm run dev`, use web identity and AWS_CA_BUNDLE: for container
# credentials over https, the AWS CLI trusts public CAs alone.
set -eu
export AWS_CONFIG_FILE="${0%/*}/config" AWS_DEFAULT_REGION="$AWS_REGION"
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

put() { # put <file> <key>
  aws s3 cp --only-show-errors "$files/$1" "s3://$OSS_BUCKET/$2"
}

echo hello >"$files/hello.txt"
put hello.txt "${OSS_FOLDER}hello.txt"
echo "uploaded ${OSS_FOLDER}hello.txt"

head -c 12582912 /dev/urandom >"$files/film.bin"
put film.bin "${OSS_FOLDER}film.bin"
echo "uploaded ${OSS_FOLDER}film.bin in parts"

aws s3 cp --only-show-errors "s3://$OSS_BUCKET/${OSS_FOLDER}film.bin" "$files/downloaded.bin"
cmp "$files/film.bin" "$files/downloaded.bin"
echo "downloaded ${OSS_FOLDER}film.bin"

if refusal=$(put hello.txt "${OSS_FOREIGN_FOLDER}hello.txt" 2>&1); then
  echo "${OSS_FOREIGN_FOLDER}hello.txt should have been refused" >&2
  exit 1
fi
echo "refused ${OSS_FOREIGN_FOLDER}hello.txt: $refusal"

echo 'press Enter to upload again, an hour later if you like'
read -r _ || true
put hello.txt "${OSS_FOLDER}again.txt"
echo "uploaded ${OSS_FOLDER}again.txt"
