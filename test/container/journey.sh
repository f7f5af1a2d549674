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
    build) build_image ;;
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

# step <number>: the commands of one code block, with free ports in place of the README's.
mapfile -d '' steps < <(awk '/^#/ { here = /Try the image on the sandbox/ } here && /^```/ { if (inside) printf "%c", 0; inside = !inside && /sh$/; next } here && inside' README.md)
step() { eval "$(sed "s/:3000/:$port/g; s/9090/$ops_port/g" <<<"${steps[$1]}")"; }

cd "$(pwd)" && start_sandbox
