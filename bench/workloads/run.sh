#!/bin/sh
# Runs in the guest, in a folder with the data of bench/programs. One line for each program: its name, nanoseconds, and
# a checksum of what it computed ("-": there is none).
set -eu

# timed NAME COMMAND: once, from start to end; what it prints is what it computes.
timed() {
  name=$1
  shift
  begin=$(date +%s%N)
  "$@" > output
  end=$(date +%s%N)
  echo "$name $((end - begin)) $(sha256sum < output | cut -c1-16)"
}

# rated NAME UNITS WORDS...: as `openssl speed` counts what can be done in two seconds, the time for UNITS of it.
rated() {
  name=$1 units=$2
  shift 2
  openssl speed -mr -seconds 2 "$@" 2> /dev/null | awk -F: -v name="$name" -v units="$units" '
    /^\+F/ { rate = $4 }
    END { if (rate <= 0) exit 1; printf "%s %d -\n", name, 1e9 * units / rate }'
}

python_starts() {
  for i in 1 2 3 4 5 6 7 8; do python3 -c "import json, re, subprocess; print(json.dumps([$i]))"; done
}
inserts() {
  rm -f test.db
  sqlite3 test.db < inserts.sql
}
compile() {
  g++ -O1 -c source.cc -o source.o
  cat source.o
}

rated sha256 16384 -bytes 16384 -evp sha256
rated aes-256-gcm 16384 -bytes 16384 -evp aes-256-gcm
rated rsa2048 1 rsa2048
timed xz xz -6 -c text
timed gzip gzip -n -6 -c text
timed python-start python_starts
timed python-loop python3 loop.py
timed sqlite inserts
timed g++ compile
