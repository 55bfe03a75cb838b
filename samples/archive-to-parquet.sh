#!/bin/sh
# From stored feeds to tables:  sh archive-to-parquet.sh feeds/ tables/
# Where it exits with 3, some of the feeds was damaged; "ctct archive check" tells what.
set -u
feeds=$1
tables=$2
mkdir -p "$tables"

npx ctct archive read "$feeds" --dedupe --out "$tables/activities.ndjson"
worst=$?
npx ctct archive read "$feeds" --dedupe --output parquet --out "$tables/activities.parquet"
again=$?
[ "$again" -gt "$worst" ] && worst=$again

# DuckDB reads either:
#   select type, status, count(*), sum(errorCount) from 'activities.parquet' group by all;
#   select id, unnest(errors).message from 'activities.ndjson';
exit "$worst"
