package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the script answers before anything is started.
class LauncherScriptTest {
    private static final String[] BASICS = {"sh", "dirname", "readlink", "id", "cat", "find", "head"};

    @TempDir
    private Path folder;

    private Launcher vigil;

    @BeforeEach
    void in_a_folder_of_its_own() {
        vigil = new Launcher(folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"help", "--help", "-h"})
    void help_lists_the_verbs_and_the_options_of_dev(String verb) throws Exception {
        Launcher.Answer answer = vigil.run(verb);

        assertThat(answer.status()).isZero();
        assertThat(answer.output())
                .contains("dev", "stop", "--data DIR", "--port PORT", "--handlers DIR", "--approve-handlers")
                // The last one is for a developer's machine that can make no sandbox. It is off unless typed,
                // and whoever looks for it must find it here with its warning.
                .contains("--workers N", "--cores N", "--database NAME", "--allow-unsandboxed");
    }

    @Test
    void it_is_found_through_a_link() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("linked"), Launcher.SCRIPT);

        Process process = vigil.builder(List.of(link.toString(), "help")).start();

        assertThat(process.inputReader().readAllLines())
                .isNotEmpty()
                .first()
                .asString()
                .startsWith("Usage:");
        assertThat(process.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"start", "-x", "DEV"})
    void an_unknown_verb_is_refused_with_the_usage(String verb) throws Exception {
        Launcher.Answer answer = vigil.run(verb);

        assertThat(answer.status()).isEqualTo(2);
        assertThat(answer.output()).contains("Usage: ./vigil", "vigil: there is no verb " + verb);
    }

    @Test
    void no_verb_at_all_shows_the_usage() throws Exception {
        assertThat(vigil.run()).satisfies(answer -> {
            assertThat(answer.status()).isEqualTo(2);
            assertThat(answer.output()).contains("Usage: ./vigil", "name a verb");
        });
    }

    @ParameterizedTest
    @CsvSource({
        "dev,  --prot,             dev has no option --prot",
        "dev,  8080,               dev has no option 8080",
        "dev,  --data,             --data needs a value",
        "stop, --port,             stop has no option --port",
        "stop, --approve-handlers, stop has no option --approve-handlers",
        "bench-peer, quartz,       'bench-peer needs one of core, full, floor'",
    })
    void an_option_that_does_not_fit_is_refused_by_name(String verb, String option, String message) throws Exception {
        Launcher.Answer answer = vigil.run(verb, option);

        assertThat(answer.status()).isEqualTo(2);
        assertThat(answer.output()).contains(message);
    }

    @ParameterizedTest
    @CsvSource({
        "--port,     99999,     --port is 99999; use 1 to 65535",
        "--port,     http,      --port is http; use a whole number",
        "--workers,  17,        --workers is 17; use 0 to 16",
        "--cores,    9,         --cores is 9; use 1 to 8",
        "--handlers, /nowhere,  '--handlers is /nowhere, which is no folder'",
    })
    void a_value_that_does_not_fit_is_refused_with_what_does(String option, String value, String message)
            throws Exception {
        Launcher.Answer answer = vigil.run("dev", "--data", "data", option, value);

        assertThat(answer.status()).isEqualTo(2);
        assertThat(answer.output()).contains(message);
        assertThat(folder.resolve("data")).doesNotExist();
    }

    @Test
    void all_that_is_missing_on_the_machine_is_named_at_once_with_the_command_that_installs_it() throws Exception {
        Path tools = Launcher.toolsOnly(folder.resolve("bin"), BASICS);

        Launcher.Answer answer = vigil.with("PATH", tools.toString())
                .with("HOME", folder.toString())
                .with("VIGIL_JDK_ROOT", folder.toString())
                .without("JAVA_HOME")
                .run("dev");

        assertThat(answer.status()).isEqualTo(1);
        assertThat(answer.output())
                .contains("missing on this machine", "needs a JDK 25 or newer", "apt install openjdk-25-jdk")
                .contains("apt install bubblewrap", "apt install python3");
    }

    @Test
    void without_a_sandbox_wanted_bubblewrap_is_not_asked_for() throws Exception {
        Path tools = Launcher.toolsOnly(folder.resolve("bin"), BASICS);

        Launcher.Answer answer = vigil.with("PATH", tools.toString()).run("dev", "--allow-unsandboxed");

        assertThat(answer.status()).isEqualTo(1);
        assertThat(answer.output()).contains("apt install python3").doesNotContain("bubblewrap");
    }

    @Test
    void dev_builds_without_tests_what_was_edited_since_and_stop_runs_what_is_built() throws Exception {
        Path clone = Files.createDirectories(folder.resolve("clone"));
        Path script = Files.copy(Launcher.SCRIPT, clone.resolve("vigil"));
        Files.createDirectories(clone.resolve(".mvn"));
        Files.copy(Launcher.SCRIPT.resolveSibling(".mvn/jdk.sh"), clone.resolve(".mvn/jdk.sh"));
        Files.writeString(clone.resolve("mvnw"), "echo \"[ERROR] built with $*\"; exit 1\n");
        assertThat(clone.resolve("mvnw").toFile().setExecutable(true)).isTrue();
        Files.createDirectories(clone.resolve("e2e/target"));
        Path built = Files.createFile(clone.resolve("e2e/target/vigil.built"));
        Files.setLastModifiedTime(built, FileTime.fromMillis(0));
        Files.createFile(clone.resolve("pom.xml"));
        vigil.without("VIGIL_CLASS_PATH");

        Process stop = vigil.builder(List.of(script.toString(), "stop")).start();
        List<String> stopped = stop.inputReader().readAllLines();
        Process dev = vigil.builder(List.of(script.toString(), "dev", "--allow-unsandboxed"))
                .start();
        List<String> started = dev.inputReader().readAllLines();

        assertThat(stopped).as("there is no jar to run, and it made none").noneMatch(line -> line.contains("uild"));
        assertThat(started).anyMatch(line -> line.contains("built with") && line.contains(",untested package"));
        assertThat(dev.waitFor()).isOne();
    }

    @Test
    void stop_says_so_when_nothing_runs() throws Exception {
        Launcher.Answer answer = vigil.run("stop", "--data", "never-used");

        assertThat(answer.status()).isZero();
        assertThat(answer.output())
                .contains("Nothing runs in " + folder.toRealPath().resolve("never-used"));
        assertThat(folder.resolve("never-used")).doesNotExist();
    }
}
