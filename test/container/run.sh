#!/usr/bin/env bash
# Builds the Dockerfile and runs what it makes: as the user that it names, on a read-only root, with the command, the
# health check and the stop signal that the image carries. No container engine is needed: buildah builds in a chroot,
# and the image is run in a mount namespace on the host's loopback. Needs root and Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot BUILDAH_FORMAT=docker
base=localhost/oss-vend-test-base image=localhost/oss-vend-test
work=$(mktemp -d)
container='' sandbox_pid='' service_pid=''

finish() {
  local pid
  for pid in $service_pid $sandbox_pid; do kill -KILL "$pid" 2>/dev/null || true; done
  [ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

passed=0 failed=0
check() { # check <what> <command …>
  local what=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then
    passed=$((passed + 1))
    echo "ok - $what"
  else
    failed=$((failed + 1))
    echo "not ok - $what"
    sed 's/^/    /' "$work/check.log"
  fi
}
wait_for() { # wait_for <command …>, for up to 15 s
  for _ in $(seq 150); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  return 1
}

# --- build -----------------------------------------------------------------------------------------------------------
buildah inspect --type image "$base" >/dev/null 2>&1 || bash test/container/base-image.sh "$base"
# npm inside the build finds its registry and certificates where the host's npm does.
volumes=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
for file in "$HOME/.npmrc" /usr/etc/npmrc; do
  [ ! -e "$file" ] || volumes+=(--volume "$file:/usr/local/lib/node_modules/npm/npmrc:ro")
done
while read -r name; do volumes+=(--env "$name"); done < <(env | awk -F= '/^(npm_config_registry|NPM_CONFIG_REGISTRY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)=/ { print $1 }')
buildah bud --quiet --build-arg "NODE_IMAGE=$base" "${volumes[@]}" --tag "$image" . >"$work/build.log" 2>&1 \
  || { tail -n 40 "$work/build.log" >&2; exit 1; }

buildah inspect --type image "$image" >"$work/image.json"
container=$(buildah from --pull-never "$image")
root=$(buildah mount "$container")
field() { node -p "const c = JSON.parse(require('fs').readFileSync('$work/image.json')).Docker.config; JSON.stringify($1)"; }

check 'stops on SIGTERM, listens on 3000' test "$(field '[c.StopSignal, Object.keys(c.ExposedPorts)]')" = '["SIGTERM",["3000/tcp"]]'
check 'runs as a user by number' test "$(field c.User)" = '"1000:1000"'
check 'the ops listener is open to other containers' bash -c "grep -q '\"OPS_HOST=0.0.0.0\"' '$work/image.json'"
check 'has no sandbox, no tests, no sources' test ! -e "$root/app/sandbox" -a ! -e "$root/app/dist/sandbox" -a ! -e "$root/app/test" -a ! -e "$root/app/src"
check 'has no development dependencies' test ! -e "$root/app/node_modules/typescript" -a ! -e "$root/app/node_modules/tsx" -a ! -e "$root/app/node_modules/tap" -a ! -e "$root/app/scripts"
check 'has its bill of materials, which lists exactly the packages in it' node --import tsx test/container/bill.ts "$root/app"
check 'has its licence, and those of the packages in it' bash -c "grep -q 'Apache License' '$root/app/LICENSE' && grep -q '^fastify ' '$root/app/THIRD-PARTY-LICENCES'"
# Values of the build are in the history of an image for everybody.
check 'has no secret of the shell in its environment or its history' bash -c "! grep -qiE '[A-Z_]*(SECRET|TOKEN|PASSWORD|ACCESS_KEY)[A-Z_]*=|_auth' '$work/image.json'"
check 'has no hidden files, such as .env or .git' test -z "$(find "$root/app" -path "$root/app/node_modules" -prune -o -name '.*' -print)"

# --- run -------------------------------------------------------------------------------------------------------------
# in_image <command …>: in the image's root, mounted read-only, as its user, with its environment and the one given.
in_image() {
  # With /proc, as every engine gives it: Node reads its own memory there.
  ${replace_shell:-} env -i "${environment[@]}" unshare --mount --propagation private bash -c '
    root=$1; shift
    mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" && mount --rbind /proc "$root/proc"
    exec /usr/sbin/chroot --userspec=1000:1000 --groups= "$root" /bin/sh -c "cd /app && exec \"\$@\"" sh "$@"
  ' bash "$root" "$@"
}
array() { node -p "const c = JSON.parse(require('fs').readFileSync('$work/image.json')).Docker.config; ($1).join('\0') + '\0'" | head -c -1; }
mapfile -d '' command < <(array '[...c.Entrypoint, ...(c.Cmd ?? [])]')
mapfile -d '' health < <(array "c.Healthcheck.Test.slice(1)")
mapfile -d '' image_environment < <(array c.Env)

environment=("${image_environment[@]}")
unconfigured() { local code=0; in_image "${command[@]}" || code=$?; test "$code" = 78; }
check 'without a configuration it ends with 78' unconfigured

check 'it checks the templates that are shipped in it' in_image "${command[@]}" policies lint

node --import tsx test/container/sandbox.ts >"$work/sandbox.env" 2>"$work/sandbox.log" &
sandbox_pid=$!
disown "$sandbox_pid"
wait_for grep -q '^TOKEN=' "$work/sandbox.env" || { cat "$work/sandbox.log" >&2; exit 1; }
mapfile -t settings < <(grep -v '^TOKEN=' "$work/sandbox.env")
token=$(sed -n 's/^TOKEN=//p' "$work/sandbox.env")
port=$((20000 + RANDOM % 20000))
environment=("${image_environment[@]}" "${settings[@]}" "PORT=$port" HOST=127.0.0.1)

iam() { in_image "${command[@]}" iam --document role | grep -q '"jrn:oss:\*:111111111111:test-app/users/\*/\*"'; }
check 'it prints the permissions that its role needs' iam

replace_shell=exec in_image "${command[@]}" >"$work/service.log" 2>&1 &
service_pid=$!
get() { curl -fsS -o /dev/null "http://127.0.0.1:$port$1"; }
ready() { wait_for get /readyz || { tail -n 20 "$work/service.log"; return 1; }; }
check 'it becomes ready' ready
check 'the health check passes' in_image "${health[@]}"
check 'its process is uid 1000' bash -c "test \"\$(stat -c %u /proc/$service_pid)\" = 1000"
vend() { curl -fsS "http://127.0.0.1:$port/v1/credentials" -H "authorization: Bearer $token" -H 'content-type: application/json' -d '{"policy":"user-upload"}' | grep -q '"users/alice/"'; }
check 'it vends by the templates that are shipped in it' vend
no_docs() { ! get /docs && ! get /openapi.json; }
check 'it serves no API page' no_docs
read_only() { ! in_image touch /app/x; }
check 'its root cannot be written' read_only
stops() { kill -TERM "$service_pid" && wait "$service_pid"; }
check 'SIGTERM ends it with 0' stops
service_pid=''
unhealthy() { ! in_image "${health[@]}"; }
check 'and then the health check fails' unhealthy

echo "# { total: $((passed + failed)), pass: $passed, fail: $failed }"
test "$failed" = 0
