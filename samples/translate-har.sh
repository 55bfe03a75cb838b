#!/bin/sh
# What recorded calls of ws are in v2:  sh translate-har.sh calls.har translated/
# Record them with the developer tools of a browser, a proxy, or "ctct emulator --journal".
set -eu
calls=$1
out=$2
mkdir -p "$out"

npx ctct translate "$calls" --as curl --allow-loss > "$out/calls.sh" 2> "$out/differences.txt"
npx ctct translate "$calls" --as json --allow-loss --quiet > "$out/calls.json"
npx ctct migrate guide "$calls" --out "$out/guide.html"
