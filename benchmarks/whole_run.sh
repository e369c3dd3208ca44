#!/usr/bin/env bash
# Time and memory of the whole chain, `simgen run`, with kernels compiled: 100 000 and 1 000 000 events.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
simgen run configs/ktaumu_belle2.yaml --events 100 -o "$folder/warm" > /dev/null
for events in 100000 1000000; do
  /usr/bin/time -f "$events events: %e s wall, %U s user, %S s system, %M kB peak" \
    simgen run configs/ktaumu_belle2.yaml --events "$events" -o "$folder/$events" > /dev/null
done
