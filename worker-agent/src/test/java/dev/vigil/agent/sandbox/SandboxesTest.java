package dev.vigil.agent.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is opened, refused, shown and left behind.
class SandboxesTest {
    private static final Watchdog.Patience PATIENCE =
            new Watchdog.Patience(Duration.ofSeconds(30), Duration.ofSeconds(60));

    @TempDir
    Path folder;

    private Sandboxes open() throws IOException {
        return open(false, Tools.USUAL_FOLDERS);
    }

    private Sandboxes open(boolean allowUnsandboxed, List<Path> programs) throws IOException {
        return Sandboxes.open(new Sandboxes.Settings(folder.resolve("state"), allowUnsandboxed, PATIENCE, programs));
    }

    /// A folder that has all programs but bwrap.
    private Path programs() throws IOException {
        Path programs = Files.createDirectories(folder.resolve("programs"));
        // An impostor among them is run by an unprivileged user.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String name : List.of("sh", "prlimit", "setpriv")) {
            Files.createSymbolicLink(programs.resolve(name), Path.of("/usr/bin", name));
        }
        return programs;
    }

    private SandboxProcess start(Sandboxes sandboxes, Path original, String script) throws IOException {
        assertThat(sandboxes.report().usable()).as(sandboxes.report().detail()).isTrue();
        SandboxProcess process = sandboxes
                .sandbox()
                .orElseThrow()
                .start(new SandboxOrder(
                        sandboxes.stage("h", original), List.of("/bin/sh", "-c", script), Limits.DEFAULT, Map.of()));
        process.release();
        return process;
    }

    private static String said(SandboxProcess process) throws IOException {
        try (process) {
            return new String(Channels.newInputStream(process.channel()).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void without_bubblewrap_nothing_runs_and_the_report_says_how_to_get_it() throws IOException {
        try (Sandboxes sandboxes = open(false, List.of(programs()))) {
            assertThat(sandboxes.report().kind()).isEqualTo("none");
            assertThat(sandboxes.report().usable()).isFalse();
            assertThat(sandboxes.report().detail())
                    .isEqualTo("bubblewrap is not installed; install it: apt-get install bubblewrap");
            assertThat(sandboxes.sandbox()).isEmpty();
        }
    }

    @Test
    void a_bubblewrap_that_isolates_nothing_is_found_out() throws IOException {
        Path programs = programs();
        Path impostor = Files.writeString(programs.resolve("bwrap"), """
                #!/bin/sh
                while [ "$1" != -- ]; do
                  [ "$1" = --ro-bind ] && [ "$3" = /handler ] && cd "$2"
                  shift
                done
                shift
                read -r go <&4
                exec env VIGIL_FD=3 "$@"
                """);
        Files.setPosixFilePermissions(impostor, PosixFilePermissions.fromString("rwxr-xr-x"));

        try (Sandboxes sandboxes = open(false, List.of(programs))) {
            assertThat(sandboxes.report().usable()).isFalse();
            assertThat(sandboxes.report().detail())
                    .startsWith("the sandbox does not hold on this machine: check ")
                    .contains("failed");
        }
    }

    @Test
    void without_a_sandbox_handlers_run_bare_only_when_that_is_allowed() throws IOException {
        Path handler = Files.createDirectory(folder.resolve("handler"));
        Files.writeString(handler.resolve("data"), "from its folder\n");

        try (Sandboxes sandboxes = open(true, List.of(programs()))) {
            assertThat(sandboxes.report().kind()).isEqualTo("none");
            assertThat(sandboxes.report().usable()).isTrue();
            String said = said(start(sandboxes, handler, "cat data >&$VIGIL_FD; id -u >&$VIGIL_FD"));

            assertThat(said).startsWith("from its folder\n").isNotEqualTo("from its folder\n0\n");
        }
    }

    @Test
    void a_bare_handler_dies_with_its_children_too() throws IOException {
        try (Sandboxes sandboxes = open(true, List.of(programs()))) {
            assumeTrue(
                    sandboxes.report().limits().equals("cgroup"),
                    "bare and without control groups nothing holds a daemon");
            Path empty = Files.createDirectory(folder.resolve("h"));
            SandboxProcess process = start(sandboxes, empty, "sleep 61 & (setsid sleep 62 &) ; echo up >&3; wait");
            Channels.newInputStream(process.channel()).read();
            await().until(() ->
                    processes().filter(line -> line.matches(".*sleep 6[12]$")).count() == 2);

            assertThat(process.kill()).isTrue();

            assertThat(processes()).noneMatch(line -> line.matches(".*sleep 6[12]$"));
        }
    }

    @Test
    void a_handlers_folder_that_only_root_may_reach_and_read_is_readable_inside() throws IOException {
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Path closed = Files.createDirectory(folder.resolve("closed"), ownerOnly);
        Path handler = Files.createDirectory(closed.resolve("handler"), ownerOnly);
        Path file = Files.writeString(handler.resolve("data"), "inside\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Path program = Files.writeString(handler.resolve("run"), "#!/bin/sh\ncat data\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        Files.createSymbolicLink(handler.resolve("link"), Path.of("data"));
        Files.createSymbolicLink(handler.resolve("outside"), file);

        try (Sandboxes sandboxes = open()) {
            String said = said(start(
                    sandboxes,
                    handler,
                    "./run >&3; cat link >&3; cat outside >&3 2>/dev/null || echo nothing >&3; pwd >&3"));

            assertThat(said).isEqualTo("inside\ninside\nnothing\n/handler\n");
        }
    }

    @Test
    void a_copy_runs_so_later_changes_of_the_folder_do_not() throws IOException {
        Path handler = Files.createDirectory(folder.resolve("handler"));
        Path file = Files.writeString(handler.resolve("data"), "approved\n");
        try (Sandboxes sandboxes = open()) {
            SandboxOrder order = new SandboxOrder(
                    sandboxes.stage("h", handler), List.of("/bin/sh", "-c", "cat data >&3"), Limits.DEFAULT, Map.of());
            Files.writeString(file, "changed\n");

            SandboxProcess process = sandboxes.sandbox().orElseThrow().start(order);
            process.release();

            assertThat(said(process)).isEqualTo("approved\n");
        }
    }

    @Test
    void secrets_are_files_in_memory_for_this_sandbox_alone() throws IOException {
        try (Sandboxes sandboxes = open()) {
            SandboxProcess process = sandboxes
                    .sandbox()
                    .orElseThrow()
                    .start(new SandboxOrder(
                            sandboxes.stage("h", Files.createDirectory(folder.resolve("h"))),
                            List.of(
                                    "/bin/sh",
                                    "-c",
                                    "cd /run/task/secrets; stat -c '%a %u' db-credentials >&3; cat db-credentials >&3;"
                                            + " (echo x > db-credentials) 2>/dev/null || echo ' read-only' >&3;"
                                            + " read -r go; ls >&3"),
                            Limits.DEFAULT,
                            Map.of()));

            Map<String, String> paths =
                    process.putSecrets(Map.of("db-credentials", "s3cret".getBytes(StandardCharsets.UTF_8)));
            process.release();
            var channel = Channels.newInputStream(process.channel());
            String before =
                    new String(channel.readNBytes("400 65532\ns3cret read-only\n".length()), StandardCharsets.UTF_8);
            process.clearSecrets();
            process.stdin().write('\n');
            process.stdin().close();

            assertThat(paths).isEqualTo(Map.of("db-credentials", "/run/task/secrets/db-credentials"));
            assertThat(before).isEqualTo("400 65532\ns3cret read-only\n");
            assertThat(said(process)).as("cleared while it ran").isEmpty();
            assertThatThrownBy(() -> process.putSecrets(Map.of("../escape", new byte[1])))
                    .hasMessageContaining("../escape");
        }
    }

    @Test
    void a_state_folder_has_one_agent() throws IOException {
        try (Sandboxes sandboxes = open()) {
            assertThat(sandboxes.sandbox()).isPresent();
            assertThatThrownBy(this::open)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("give each agent its own");
        }
        open().close();
    }

    @Test
    void nothing_is_left_after_the_end() throws IOException {
        List<Path> homes;
        try (Sandboxes sandboxes = open()) {
            start(sandboxes, Files.createDirectory(folder.resolve("h")), "sleep 63");
            homes = Files.readAllLines(folder.resolve("state/sandbox/cgroups")).stream()
                    .map(Path::of)
                    .toList();
            assertThat(homes).as("control").isNotEmpty().allMatch(Files::exists);
        }

        await().until(() -> processes().noneMatch(line -> line.contains("sleep 63")));
        open().close();
        assertThat(homes).noneMatch(Files::exists);
    }

    @Test
    void a_start_removes_groups_of_its_own_label_and_nobody_elses() throws IOException {
        open().close();
        List<Path> homes = Files.readAllLines(folder.resolve("state/sandbox/cgroups")).stream()
                .map(Path::of)
                .toList();
        Path other = homes.getFirst().resolveSibling("vigil-somebody-else");
        Path own = homes.getFirst().resolve("s99");
        Files.createDirectories(own);
        Files.createDirectories(other.resolve("s1"));
        Files.writeString(folder.resolve("state/sandbox/cgroups"), homes.getFirst() + "\n" + other + "\n");
        try {
            open().close();

            assertThat(own).doesNotExist();
            assertThat(other.resolve("s1")).exists();
        } finally {
            Files.delete(other.resolve("s1"));
            Files.delete(other);
        }
    }

    private static Stream<String> processes() {
        return ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse(""));
    }
}
