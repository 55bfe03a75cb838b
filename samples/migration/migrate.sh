#!/bin/sh
# Contacts of two accounts to v2:  V2_API_KEY=… JOES_TOKEN=… ROSES_TOKEN=… sh migrate.sh work/
# After a crash, or Ctrl-C, the same line goes on.
set -u
here=$(dirname "$0")
work=$1
mkdir -p "$work"

if [ ! -f "$work/plan.json" ]; then
  npx ctct migrate plan --accounts "$here/accounts.csv" --uploads "$here/uploads.csv" \
    --out "$work/plan.json" || exit
fi
npx ctct migrate run "$work/plan.json"
run=$?
npx ctct migrate report "$work/plan.json" --html "$work/report.html" --failing-rows "$work/again" --force
exit "$run"
