#!/bin/sh
# Runs the project's own Node on the sources as they are; compiled code is kept, which makes the next start several times faster.
here=$(cd "$(dirname "$0")/.." && pwd)
sh "$here/scripts/install.sh" || exit 1
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$here/.cache/compile}"
export PATH="$here/node_modules/.bin:$PATH"
# `import 'kubernode'` means the sources here, and what was built from them in the published package.
exec "$here/node_modules/.bin/node" --conditions=kubernode-source "$@"
