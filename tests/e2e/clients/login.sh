#!/bin/sh
# Runs a command over SSH as soon as the machine lets us in, again and again until it succeeds: login.sh KEY ADDRESS COMMAND
key=$1 address=$2 command=$3
tries=0
until ssh -i "$key" -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR "debian@$address" "$command"; do
  tries=$((tries + 1))
  [ $tries -lt 120 ] || exit 1
  sleep 2
done
