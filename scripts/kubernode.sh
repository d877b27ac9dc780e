#!/bin/sh
# The kubernode command from a clone: installs and bundles what is not up to date, then runs it.
here=$(cd "$(dirname "$0")/.." && pwd)
sh "$here/scripts/install.sh" || exit 1
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$here/.cache/compile}"
PATH="$here/node_modules/.bin:$PATH"
# An npm on an older Node leaves the bundler's native part out: then the sources run as they are, and start a little slower.
if problem=$(sh "$here/scripts/node.sh" "$here/scripts/bundle.ts" 2>&1); then
  # The bundle's first line names the settings and flags for whoever runs it by its name.
  entry=$here/dist/kubernode.js
else
  case $problem in *"native binding"*) ;; *) printf '%s\n' "$problem" >&2; exit 1 ;; esac
  entry=$here/src/cli/main.ts
fi
command=$(sed -n '1s/^#!.* -S //p' "$entry")
# shellcheck disable=SC2086 -- several words
exec env $command "$entry" "$@"
