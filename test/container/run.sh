#!/usr/bin/env bash
# Checks the image: its contents, and how it runs as its user, on a read-only root, with the command, the health check and
# the stop signal that it carries.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/container/engine.sh
build_image

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
mapfile -d '' health < <(array "c.Healthcheck.Test.slice(1)")

environment=("${image_environment[@]}")
unconfigured() { local code=0; in_image "${command[@]}" || code=$?; test "$code" = 78; }
check 'without a configuration it ends with 78' unconfigured

check 'it checks the templates that are shipped in it' in_image "${command[@]}" policies lint

start_sandbox
port=$((20000 + RANDOM % 20000))
environment=("${image_environment[@]}" "${settings[@]}" "PORT=$port" HOST=127.0.0.1)

iam() { in_image "${command[@]}" iam --document role | grep -q '"jrn:oss:\*:111111111111:test-app/users/\*/\*"'; }
check 'it prints the permissions that its role needs' iam

replace_shell=exec in_image "${command[@]}" >"$work/service.log" 2>&1 &
service_pid=$!
pids+=("$service_pid")
get() { curl -fsS -o /dev/null "http://127.0.0.1:$port$1"; }
ready() { wait_for get /readyz || { tail -n 20 "$work/service.log"; return 1; }; }
check 'it becomes ready' ready
check 'the health check passes' in_image "${health[@]}"
check 'its process is uid 1000' bash -c "test \"\$(stat -c %u /proc/$service_pid)\" = 1000"
vend() { curl -fsS "http://127.0.0.1:$port/v1/credentials" -H "authorization: Bearer $(cat "$work/sandbox.token")" -H 'content-type: application/json' -d '{"policy":"user-upload"}' | grep -q '"users/alice/"'; }
check 'it vends by the templates that are shipped in it' vend
no_docs() { ! get /docs && ! get /openapi.json; }
check 'it serves no API page' no_docs
read_only() { ! in_image touch /app/x; }
check 'its root cannot be written' read_only
stops() { kill -TERM "$service_pid" && wait "$service_pid"; }
check 'SIGTERM ends it with 0' stops
pids=("${pids[@]/$service_pid/}") # its number may soon be another process's
unhealthy() { ! in_image "${health[@]}"; }
check 'and then the health check fails' unhealthy

total
