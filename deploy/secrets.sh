#!/bin/sh
# Writes the secret files that compose.yaml mounts, into secrets/ beside this script. It asks for the keys of the sub-user
# and makes the others. A file that is there stays as it is.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets

write() { # write <file>: what is on standard input; unless that fails or is empty
  cat >"$1.new"
  [ -s "$1.new" ] || { rm -f "$1.new"; echo "$1: nothing was given" >&2; exit 1; }
  # The folder keeps other users of this machine out. In the container, user 1000 must be able to read the file.
  chmod 444 "$1.new"
  mv "$1.new" "$1"
  echo "secrets/$1 is written"
}
ask() { # ask <file> <question>: without showing the answer on a terminal
  [ ! -e "$1" ] || return 0
  printf '%s: ' "$2" >&2
  if [ -t 0 ]; then stty -echo; trap 'stty echo' EXIT; fi
  IFS= read -r answer || true
  if [ -t 0 ]; then stty echo; trap - EXIT; echo >&2; fi
  printf '%s' "$answer" | write "$1"
}

ask jdcloud-access-key 'Access key of the sub-user, such as test-iam'
ask jdcloud-secret-key 'Secret key of the sub-user'
[ -e cache-encryption-key ] || head -c 32 /dev/urandom | base64 | write cache-encryption-key
if [ ! -e redis.conf ] || [ ! -e redis-url ]; then
  password=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  printf 'requirepass %s\n' "$password" | write redis.conf
  printf 'redis://:%s@redis:6379' "$password" | write redis-url
fi
