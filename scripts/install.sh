#!/bin/sh
# Installs the npm dependencies when they are absent or older than the lock file. Among them is the Node that everything else runs on.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x node_modules/.bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  command -v npm >/dev/null || { echo "npm is missing: install Node.js with npm first (Debian: apt-get install nodejs npm)" >&2; exit 1; }
  echo " installing npm dependencies" >&2
  # Not `npm ci`: it refuses a lock file without the optional packages of other platforms, some of which a mirror may not have.
  npm install --no-save --no-audit --no-fund --loglevel=error >&2
fi
