#!/bin/sh
# One-shot handler: the run line arrives on stdin, the last line on descriptor $VIGIL_FD is the outcome.
set -eu
LC_ALL=C
export LC_ALL
IFS= read -r run

# The value of a string field. Names that may occur are plain words, so no escape can stand in them.
field() {
  printf '%s\n' "$run" | sed -n 's/.*"'"$1"'" *: *"\([A-Za-z0-9._-]*\)".*/\1/p'
}
fail() {
  printf '{"fail":{"code":"%s","detail":"%s","retryable":false}}\n' "$1" "$2" >&"$VIGIL_FD"
  exit 0
}

folder=$(field folder)
algorithm=$(field algorithm)
manifest=$(field manifest)
algorithm=${algorithm:-sha256}
case $algorithm in sha256 | sha512 | sha1 | md5) ;; *) fail unknown_algorithm "use sha256, sha512, sha1 or md5" ;; esac
case $folder in '' | .*) fail folder_missing "name a folder of data/" ;; esac
cd "data/$folder" 2>/dev/null || fail folder_missing "there is no folder data/$folder"

if [ -n "$manifest" ]; then
  [ -f "$manifest" ] || fail manifest_missing "there is no manifest $manifest in data/$folder"
  changed=$("${algorithm}sum" --check --quiet "$manifest" 2>/dev/null | sed -n 's/^\(.*\): FAILED.*$/"\1"/p' | paste -sd, -)
  echo "checked data/$folder against $manifest"
  printf '{"done":{"folder":"%s","manifest":"%s","changed":[%s]}}\n' "$folder" "$manifest" "$changed" >&"$VIGIL_FD"
  exit 0
fi

files=$(for file in *; do
  [ -f "$file" ] || continue
  sum=$("${algorithm}sum" <"$file")
  printf '{"name":"%s","bytes":%s,"sum":"%s"}\n' "$file" "$(wc -c <"$file" | tr -d ' ')" "${sum%% *}"
done | paste -sd, -)
count=$(for file in *; do [ -f "$file" ] && echo x; done | wc -l | tr -d ' ')
echo "checksummed $count files of data/$folder with $algorithm"
printf '{"done":{"folder":"%s","algorithm":"%s","count":%s,"files":[%s]}}\n' "$folder" "$algorithm" "$count" "$files" >&"$VIGIL_FD"
