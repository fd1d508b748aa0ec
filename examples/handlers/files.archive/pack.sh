#!/bin/sh
# One-shot handler: the archive is made in /tmp, which only this run sees, and vanishes with it.
set -eu
LC_ALL=C
export LC_ALL
IFS= read -r run
folder=$(printf '%s\n' "$run" | sed -n 's/.*"folder" *: *"\([a-z]*\)".*/\1/p')
if [ ! -d "data/$folder" ]; then
  printf '{"fail":{"code":"folder_missing","detail":"there is no folder data/%s","retryable":false}}\n' "$folder" >&"$VIGIL_FD"
  exit 0
fi
tar --create --file=/tmp/archive.tar --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
  --mode=u=rw,go=r --directory="data/$folder" $(ls "data/$folder")
sum=$(sha256sum </tmp/archive.tar)
files=$(tar --list --file=/tmp/archive.tar | wc -l | tr -d ' ')
echo "packed $files files of data/$folder"
printf '{"done":{"folder":"%s","files":%s,"bytes":%s,"sha256":"%s"}}\n' \
  "$folder" "$files" "$(wc -c </tmp/archive.tar | tr -d ' ')" "${sum%% *}" >&"$VIGIL_FD"
