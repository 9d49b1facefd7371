#!/bin/sh
# Checks the page: types hold; the committed bundle is what the sources build, at most 300 KB.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund
npx tsc --noEmit
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
node build.mjs "$built/dist"
if ! diff -r "$built/dist" dist >/dev/null; then
  echo "ui/dist is not what ui/src builds: run 'npm run build' in ui and commit dist" >&2
  exit 1
fi
bytes=$(cat dist/* | wc -c)
if [ "$bytes" -gt 307200 ]; then
  echo "ui/dist has $bytes bytes; the page may have 307200" >&2
  exit 1
fi
echo "ui/dist is up to date: $bytes bytes"
