# Finds a JDK that is new enough, whatever `java` is on the PATH, and exports JAVA_HOME; sourced by ./mvnw and ./vigil.
# Reads each candidate's `release` file, so no JVM is started. Without any it says so and exits 69 (EX_UNAVAILABLE).
# POSIX sh; leaves the caller's variables and options alone. VIGIL_JDK_ROOT stands before the system's own folders, for tests.

# The feature release of the JDK in folder $1 on stdout; fails when there is no JDK in it.
vigil_jdk_release() (
  set +eu
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || exit 1
  while IFS='=' read -r key value; do
    [ "$key" = JAVA_VERSION ] || continue
    value=${value#\"}
    echo "${value%%[!0-9]*}"
    exit 0
  done <"$1/release"
  exit 1
)

# The home of a JDK >= $1 on stdout; fails when there is none. What the user set or put on the PATH goes first; of the
# installed ones the lowest that is enough, because that is the one which CI builds with.
vigil_jdk_find() (
  set +euf
  need=$1
  root=${VIGIL_JDK_ROOT-}
  javac=$(command -v javac) && javac=$(readlink -f "$javac") && on_path=${javac%/bin/javac}
  for home in "${JAVA_HOME-}" "${JAVA25_HOME-}" "${JDK25_HOME-}" "${JAVA_HOME_25_X64-}" "${on_path-}"; do
    [ -n "$home" ] && release=$(vigil_jdk_release "$home") && [ "$release" -ge "$need" ] || continue
    echo "$home"
    exit 0
  done
  best=
  for home in "$root"/usr/lib/jvm/* "$root"/opt/* "$root"/opt/java/* "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/* \
    "$HOME"/.jdks/* "${ASDF_DATA_DIR:-$HOME/.asdf}"/installs/java/* \
    "${MISE_DATA_DIR:-$HOME/.local/share/mise}"/installs/java/* \
    "$root"/Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    "$root"/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    release=$(vigil_jdk_release "$home") && [ "$release" -ge "$need" ] || continue
    if [ -z "$best" ] || [ "$release" -lt "$best_release" ]; then
      best=$home best_release=$release
    fi
  done
  [ -n "$best" ] && echo "$best"
)

if ! JAVA_HOME=$(vigil_jdk_find 25); then
  echo "Vigil needs a JDK 25 or newer and found none: install one (Debian, Ubuntu: apt install openjdk-25-jdk," \
    "or temurin-25-jdk from https://adoptium.net; macOS: brew install openjdk@25) or point JAVA_HOME at it." >&2
  exit 69
fi
export JAVA_HOME

# The checksum of mvnw is that of Maven's zip; without unzip it would fetch the tar.gz and call that compromised.
# The JDK unpacks zip files too, but drops the execute bit.
if ! command -v unzip >/dev/null 2>&1; then
  unzip() { # as mvnw calls it: [-q] FILE -d FOLDER
    [ "$1" != -q ] || shift
    (set +f && cd "$3" && "$JAVA_HOME/bin/jar" -xf "$1" && chmod +x ./*/bin/mvn)
  }
fi
