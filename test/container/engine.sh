# A container engine for machines that have none: buildah builds the Dockerfile in a chroot, and the image runs in a mount
# namespace on the host's network. Sourced by the scripts beside it. Needs root and Debian.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot BUILDAH_FORMAT=docker
base=localhost/oss-vend-test-base image=localhost/oss-vend-test
work=$(mktemp -d)
container='' pids=()
trap finish EXIT

finish() {
  local pid
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  [ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
}

# Builds the Dockerfile and mounts what it makes: $root is the image's root, $work/image.json its configuration.
build_image() {
  local volumes name file
  buildah inspect --type image "$base" >/dev/null 2>&1 || bash test/container/base-image.sh "$base"
  # npm inside the build finds its registry and certificates where the host's npm does.
  volumes=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
  for file in "$HOME/.npmrc" /usr/etc/npmrc; do
    [ ! -e "$file" ] || volumes+=(--volume "$file:/usr/local/lib/node_modules/npm/npmrc:ro")
  done
  while read -r name; do volumes+=(--env "$name"); done < <(env | awk -F= '/^(npm_config_registry|NPM_CONFIG_REGISTRY|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)=/ { print $1 }')
  buildah bud --layers --quiet --build-arg "NODE_IMAGE=$base" "${volumes[@]}" --tag "$image" . >"$work/build.log" 2>&1 \
    || { tail -n 40 "$work/build.log" >&2; exit 1; }
  buildah inspect --type image "$image" >"$work/image.json"
  container=$(buildah from --pull-never "$image")
  root=$(buildah mount "$container")
  mapfile -d '' command < <(array '[...c.Entrypoint, ...(c.Cmd ?? [])]')
  mapfile -d '' image_environment < <(array c.Env)
}

# field, array <expression>: a part of the image's configuration `c`, as JSON or separated by NUL.
configuration() { node -p "const c = JSON.parse(require('fs').readFileSync('$work/image.json')).Docker.config; $1"; }
field() { configuration "JSON.stringify($1)"; }
array() { configuration "($1).join('\0') + '\0'" | head -c -1; }

# in_image <command …>: in the image's root, mounted read-only, as its user, with $environment alone.
in_image() {
  # With /proc, as every engine gives it: Node reads its own memory there.
  ${replace_shell:-} env -i "${environment[@]}" unshare --mount --propagation private bash -c '
    root=$1; shift
    mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" && mount --rbind /proc "$root/proc"
    exec /usr/sbin/chroot --userspec=1000:1000 --groups= "$root" /bin/sh -c "cd /app && exec \"\$@\"" sh "$@"
  ' bash "$root" "$@"
}

start_sandbox() { # STS and OSS on loopback; the service's settings go into $settings
  node --import tsx sandbox/commands/sandbox.ts --settings "$work/sandbox.env" --token "$work/sandbox.token" >"$work/sandbox.log" 2>&1 &
  pids+=($!)
  disown $!
  wait_for grep -q STS "$work/sandbox.log" || { cat "$work/sandbox.log" >&2; exit 1; }
  mapfile -t settings <"$work/sandbox.env"
}

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
total() { # the sum, for whoever counts checks; fails if one failed
  echo "# { total: $((passed + failed)), pass: $passed, fail: $failed }"
  test "$failed" = 0
}
wait_for() { # wait_for <command …>, for up to 15 s
  for _ in $(seq 150); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  return 1
}
