#!/bin/sh
# Uploads to JD Cloud OSS with credentials from oss-vend, which rclone fetches by itself: it reads
# AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.
set -eu
# The remote `oss`, without a configuration file.
export RCLONE_CONFIG=/dev/null RCLONE_CONFIG_OSS_TYPE=s3 RCLONE_CONFIG_OSS_PROVIDER=Other RCLONE_CONFIG_OSS_ENV_AUTH=true
export RCLONE_CONFIG_OSS_ENDPOINT="$AWS_ENDPOINT_URL_S3" RCLONE_CONFIG_OSS_REGION="$AWS_REGION"
# No session may list or look for buckets. A policy without oss:GetObject also needs --s3-no-head.
flags='--s3-no-check-bucket --no-check-dest --s3-upload-cutoff=5M --s3-chunk-size=5M --retries=1'
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

put() { # put <file> <key>
  # shellcheck disable=SC2086
  rclone copyto $flags "$files/$1" "oss:$OSS_BUCKET/$2"
}

echo hello >"$files/hello.txt"
put hello.txt "${OSS_FOLDER}hello.txt"
echo "uploaded ${OSS_FOLDER}hello.txt"

head -c 12582912 /dev/urandom >"$files/film.bin"
put film.bin "${OSS_FOLDER}film.bin"
echo "uploaded ${OSS_FOLDER}film.bin in parts"

rclone copyto --retries=1 "oss:$OSS_BUCKET/${OSS_FOLDER}film.bin" "$files/downloaded.bin"
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
