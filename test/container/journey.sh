#!/usr/bin/env bash
# Runs the README's section "Try the image on the sandbox" as it is printed, and looks at what each step must show. The
# function docker() stands in for the command of this name.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/container/engine.sh

port=$((20000 + RANDOM % 20000))
ops_port=$((port + 1))

docker() {
  case $1 in
    build) cd "$repository" && build_image && cd "$work" ;;
    run) shift && run_image "$@" ;;
    logs) cat "$work/$2.log" ;;
    stop) kill -TERM "$(cat "$work/$2.pid")" && wait "$(cat "$work/$2.pid")" ;;
    *) echo "the journey knows no docker $1" >&2 && return 2 ;;
  esac
}
run_image() { # the options of docker run that the README uses; any other is an error
  local name='' detached=''
  environment=("${image_environment[@]}")
  while [ "${1#-}" != "$1" ]; do
    case $1 in
      --rm | --read-only) ;;
      --network) shift && test "$1" = host ;;
      --name) shift && name=$1 ;;
      --env-file) shift && mapfile -t -O "${#environment[@]}" environment <"$1" ;;
      -e) shift && environment+=("$1") ;;
      -d) detached=1 ;;
      *) echo "the journey knows no option $1 of docker run" >&2 && return 2 ;;
    esac
    shift
  done
  test "$1" = oss-vend && shift
  environment+=("PORT=$port")
  [ -n "$detached" ] || { in_image "${command[@]}" "$@" && return; }
  replace_shell=exec in_image "${command[@]}" "$@" >"$work/$name.log" 2>&1 &
  echo $! >"$work/$name.pid"
  pids+=($!)
}

# step <number>: the commands of one code block of the section, with free ports in place of the README's.
mapfile -d '' steps < <(awk '/^#/ { here = /Try the image on the sandbox/ } here && /^```/ { inside = !inside && /sh$/; if (!inside) printf "%c", 0; next } here && inside' README.md)
step() { eval "$(sed "s/:3000/:$port/g; s/9464/$ops_port/g" <<<"${steps[$1]}")"; }

run_step() { step "$1" >"$work/step.$1" 2>&1 || { cat "$work/step.$1" && return 1; }; }
printed() { grep -F -- "$2" "$work/step.$1" || { cat "$work/step.$1" && return 1; }; }
of_answer() { node -p "JSON.parse(require('fs').readFileSync('$work/step.1', 'utf8').match(/^\{.*/m)[0]).$1"; }
kept_secret() { ! grep -rqF -e "$(of_answer credentials.secretKey)" -e "$(of_answer credentials.sessionToken)" -e "$(cat "$work/sandbox.token")" "$work/oss-vend.log"; }

repository=$PWD
start_sandbox
cd "$work" # where sandbox.env and sandbox.token are
check 'the README has the three steps of the journey' test "${#steps[@]}" = 3
check 'the image is built, and the doctor finds nothing wrong' run_step 0
check 'and the doctor has tried the bucket' printed 0 '✓ probe user-upload'
check 'the service starts and vends' run_step 1
check 'for the folder of the caller' printed 1 '"users/alice/"'
check 'the metric and the audit event are found, and the service stops in order' run_step 2
check 'the metric counts this vend' printed 2 'oss_vend_vends_total{policy="user-upload",outcome="issued"} 1'
check 'the event names the session' printed 2 '"sessionName":"user-upload@alice"'
check 'and its access key' printed 2 "$(of_answer credentials.accessKey)"
check 'no secret is in log or audit' kept_secret

total
