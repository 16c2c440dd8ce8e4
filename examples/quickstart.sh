#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone to a live stream through an isolated worker, in one command.
# Installs and builds what is missing, starts a relay and framelockd, publishes a demo source with a
# clock and frame numbers in its pictures, inverts it live, changes the prompt, and checks every
# output frame. Runs on until Ctrl-C.
# Usage: examples/quickstart.sh [--once] [--seconds N] [--sheet FILE.png] [--no-install]
#   --once        exit after the check: 0 if every frame matched, 1 if not
#   --seconds N   how long to check (12)
#   --sheet FILE  where the contact sheet goes (build/quickstart.png): inputs above their outputs
#   --no-install  trust that everything is installed and built (FRAMELOCK_BIN says where)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

once=false
install=true
seconds=12
sheet=build/quickstart.png
while (($#)); do
  case $1 in
    --once) once=true ;;
    --no-install) install=false ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --sheet) sheet=${2:?--sheet needs a file}; shift ;;
    *) sed -n '7,11p' "$0"; exit 2 ;;
  esac
  shift
done

say() { printf '\033[1m== %s\033[0m\n' "$*"; }

if $install; then examples/install.sh; fi
bin=${FRAMELOCK_BIN:-build/release/bin}
work=$(mktemp -d)
children=()
finish() {
  trap - EXIT INT TERM
  # The source and framelockd first, so that streams end in good order; the relay last.
  for ((i = ${#children[@]} - 1; i >= 0; i--)); do kill "${children[i]}" 2>/dev/null || :; done
  wait
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Starts a server on a free port and waits for its address: listen NAME PROGRAM [ARGUMENT ...]
listen() {
  local name=$1
  shift
  : >"$work/$name.out"
  "$@" --listen 127.0.0.1:0 >>"$work/$name.out" 2>"$work/$name.log" &
  children+=($!)
  for _ in {1..100}; do
    url=$(sed -n 's/^listening on \(http:[^ ]*\).*/\1/p' "$work/$name.out")
    [ -n "$url" ] && return
    kill -0 "${children[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  echo "$name did not start:" >&2
  tail -n 20 "$work/$name.log" >&2
  exit 1
}

# One JSON field of a text, by name: field NAME TEXT
field() { grep -o "\"$1\":[0-9.a-z]*" <<<"$2" | head -n 1 | cut -d: -f2; }

say "starting the relay and framelockd"
listen relay "$bin/framelock-relay"
relay=${url%/}
listen framelockd "$bin/framelockd"
api=${url%/}

say "publishing the demo source to $relay/demo-in"
"$bin/framelock-demo-source" --publish "$relay/demo-in" --fps 30 >"$work/source.out" 2>"$work/source.log" &
children+=($!)

invert='{"1":{"class_type":"LoadTensor","inputs":{}},"2":{"class_type":"ImageInvert","inputs":{"image":["1",0]}},"3":{"class_type":"SaveTensor","inputs":{"images":["2",0]}}}'
blur='{"1":{"class_type":"LoadTensor","inputs":{}},"2":{"class_type":"ImageBlur","inputs":{"image":["1",0],"blur_radius":3,"sigma":1.0}},"3":{"class_type":"SaveTensor","inputs":{"images":["2",0]}}}'

say "POST $api/stream/start (prompt: invert)"
curl -sSf -X POST "$api/stream/start" -H 'Content-Type: application/json' -d @- <<JSON
{"subscribe_url": "$relay/demo-in", "publish_url": "$relay/demo-out",
 "gateway_request_id": "demo", "params": {"width": 512, "height": 512, "prompt": $invert}}
JSON
echo

say "checking every output frame for $seconds s"
"$bin/framelock-demo-check" --subscribe "$relay/demo-out" --source-subscribe "$relay/demo-in" \
  --seconds "$seconds" --report "$work/report.json" --sheet "$sheet" >"$work/check.out" 2>"$work/check.log" &
check=$!
children+=("$check")
sleep $((seconds / 2))
say "POST $api/stream/demo/update-prompts (prompt: blur)"
curl -sSf -X POST "$api/stream/demo/update-prompts" -H 'Content-Type: application/json' \
  -d "{\"prompt\": $blur}"
echo
verdict=0
wait "$check" || verdict=$?
status=$(curl -sSf "$api/stream/demo/status")
report=$(cat "$work/report.json" 2>/dev/null || :)
if [ -z "$report" ]; then
  echo "the check ended without a report:" >&2
  tail -n 20 "$work/check.log" "$work/framelockd.log" >&2
  exit 1
fi

say "the account"
printf '  %-22s %s\n' \
  "frames in" "$(field inputs "$status")" \
  "completed" "$(field completed "$status")" \
  "skipped" "$(field skipped "$status")" \
  "failed" "$(field failed "$status")" \
  "lost" "$(field lost "$status")" \
  "in hand now" "$(field open "$status")" \
  "frames checked" "$(field frames "$report")" \
  "mismatched" "$(field mismatched "$report")" \
  "latency p50 / p99 ms" "$(field p50 "$report") / $(field p99 "$report")"
echo
echo "  source    $relay/demo-in"
echo "  output    $relay/demo-out"
echo "  status    $api/stream/demo/status"
echo "  contact sheet (inputs above their outputs): $sheet"
echo
if [ "$verdict" -ne 0 ]; then
  echo "FAILED: the check found frames that do not match" >&2
  tail -n 20 "$work/check.log" >&2
  exit 1
fi
say "every output frame was made from the input frame whose time it carries"
if $once; then exit 0; fi
echo "Running on. Watch it with:"
echo "  GST_PLUGIN_PATH=build/release/lib/gstreamer-1.0 gst-launch-1.0 tricklesrc do-timestamp=true location=$relay/demo-out ! tsdemux ! h264parse ! avdec_h264 ! videoconvert ! autovideosink"
echo "Stop with Ctrl-C."
wait
