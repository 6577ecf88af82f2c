# What bin/* share: the project's own environment, made when it is missing or out of date. Sourced, not run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=${HUIMIN_VENV:-$ROOT/.venv}
cd "$ROOT"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# find_python: the first interpreter that is new enough
find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
       "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed. On Debian and Ubuntu: apt install python3 python3-venv"
}

# environment LOCKFILE: the virtual environment holds what the lock file says, by hash; instant where it already does
environment() {
  local lock=$1 stamp=$VENV/.installed-$1 wanted
  wanted=$(cksum <"$lock")
  if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    if [ ! -x "$VENV/bin/python" ]; then
      say "making a virtual environment …"
      "$(find_python)" -m venv "$VENV" || fail "The venv module is missing. On Debian and Ubuntu: apt install python3-venv"
    fi
    say "installing what $lock says …"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" >&2 ||
      fail "Installing failed; see above. A package index must be reachable."
    printf '%s' "$wanted" >"$stamp"
  fi
  translations
}

# translations: compiled where the catalogue is newer
translations() {
  local po mo
  for po in translations/*/LC_MESSAGES/messages.po; do
    mo=${po%.po}.mo
    if [ ! -f "$mo" ] || [ "$po" -nt "$mo" ]; then
      "$VENV/bin/pybabel" --quiet compile --input-file "$po" --output-file "$mo" --locale "$(basename "$(dirname "$(dirname "$po")")")" >&2
    fi
  done
}
