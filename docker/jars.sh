#!/bin/sh
# Lays the runnable jar of each service out in layers below $1, one folder a service: libraries, which change rarely,
# then Vigil's own classes. Jars that `./mvnw package` or `verify` made on this machine are taken when none of their
# sources is newer, or when Maven cannot be had here; otherwise they are built here.
set -eu
into=$1
services="scheduler-api scheduler-core worker-agent audit-service gdpr-service e2e"

there() {
  for service in $services; do
    for jar in "$service"/target/"$service"-*-exec.jar; do
      [ -f "$jar" ] || return 1
    done
  done
}

fresh() {
  for pom in */pom.xml; do
    module=${pom%/pom.xml}
    for plain in "$module"/target/"$module"-*-SNAPSHOT.jar; do
      # The runnable jar has a fixed time of its own, for builds that can be repeated; the plain one tells its age.
      [ -f "$plain" ] && [ -z "$(find "$module"/src/main -type f -newer "$plain" | head -n 1)" ] || return 1
    done
  done
}

if there && fresh; then
  echo "taking the jars that are there"
elif there && ! ./mvnw -q --version >/dev/null 2>&1; then
  echo "WARNING: taking jars that are older than their sources, because Maven cannot be fetched from here" >&2
else
  echo "building the jars; ./mvnw -Pquick,untested package beforehand makes this quicker"
  ./mvnw -B -q -ntp -Pquick,untested package
fi
for service in $services; do
  java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djarmode=tools -jar "$service"/target/"$service"-*-exec.jar \
    extract --layers --destination "$into/$service" --application-filename app.jar >/dev/null
  for layer in dependencies snapshot-dependencies application; do
    mkdir -p "$into/$service/$layer"
  done
done
