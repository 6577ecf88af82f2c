# A PostgreSQL of our own for tests: in a temporary folder, on a free port of the loopback, as an unprivileged user.
# Sourced, not run. start_postgresql sets POSTGRESQL_URL; stop_postgresql takes it away.

postgresql_bin() {
  local dir
  for dir in "${HUIMIN_POSTGRESQL_BIN:-}" /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/pgsql/bin; do
    if [ -x "$dir/initdb" ]; then printf '%s\n' "$dir"; fi
  done | sort -V | tail -n 1
}

as_owner() {
  if [ "$(id -u)" = 0 ]; then
    (cd "$PGHOME" && setpriv --reuid="$PGOWNER" --regid="$(id -g "$PGOWNER")" --clear-groups -- "$@")
  else
    "$@"
  fi
}

start_postgresql() {
  local bin port
  bin=$(postgresql_bin)
  [ -n "$bin" ] || fail "PostgreSQL 15 or newer is needed for the tests. On Debian and Ubuntu: apt install postgresql"
  PGBIN=$bin
  PGHOME=$(mktemp -d "${TMPDIR:-/tmp}/huimin-postgresql.XXXXXX")
  PGOWNER=$(id -un)
  if [ "$(id -u)" = 0 ]; then  # it refuses to run as root
    PGOWNER=postgres
    id postgres >/dev/null 2>&1 || PGOWNER=nobody
    chown "$PGOWNER" "$PGHOME"
  fi
  port=$("$VENV/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  as_owner "$PGBIN/initdb" --pgdata="$PGHOME/data" --username=huimin --auth=trust --encoding=UTF8 --locale=C --no-sync \
    >"$PGHOME.log" 2>&1 || fail "initdb failed: $(cat "$PGHOME.log")"
  # What a test writes need not survive a power cut; the locking and the isolation are those of production. Autovacuum
  # is off so that a plan does not hang on the second at which it came by.
  as_owner "$PGBIN/pg_ctl" --pgdata="$PGHOME/data" --log="$PGHOME/server.log" --wait --silent start -o \
    "-p $port -h 127.0.0.1 -k $PGHOME -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off -c max_connections=200" \
    >>"$PGHOME.log" 2>&1 || fail "PostgreSQL did not start: $(cat "$PGHOME/server.log")"
  export POSTGRESQL_URL="postgresql+psycopg://huimin@127.0.0.1:$port/postgres"
}

stop_postgresql() {
  [ -n "${PGHOME:-}" ] || return 0
  as_owner "$PGBIN/pg_ctl" --pgdata="$PGHOME/data" --mode=immediate --silent stop >/dev/null 2>&1 || true
  rm -rf "$PGHOME" "$PGHOME.log"
  PGHOME=
}
