#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An agent in shell: measures something, writes one JSON event a line, `tocsin send -` does the rest.
# usage: push_json.sh [ENDPOINT] [COUNT] [SECONDS_BETWEEN]
set -eu
endpoint=${1:-tcp://127.0.0.1:5555}
count=${2:-3}
pause=${3:-1}
tocsin=${TOCSIN:-tocsin}
host=$(hostname)

measure() {
  n=0
  while [ "$n" -lt "$count" ]; do
    n=$((n + 1))
    used=$(df -P / | awk 'NR == 2 { sub("%", "", $5); print $5 }')
    # Without `time` an event happened when it arrives.
    printf '{"event_id":"%s-%s-%s","source_id":"push_json/%s","resource_id":"%s:/","resource_type":"disk","item":"disk_percent","value":%s}\n' \
      "$$" "$(date +%s)" "$n" "$host" "$host" "$used"
    [ "$n" -eq "$count" ] || sleep "$pause"
  done
}

measure | "$tocsin" send - --push "$endpoint"
