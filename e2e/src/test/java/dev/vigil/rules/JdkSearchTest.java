package dev.vigil.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `.mvn/jdk.sh`, which mvnw and ./vigil source, against trees of fake JDKs: each place where it looks, alone.
class JdkSearchTest {
    private static final Path PROJECT = Sources.PROJECT;

    @TempDir
    private Path machine;

    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void an_empty_machine() throws IOException {
        Path bin = Files.createDirectories(machine.resolve("bin"));
        for (String tool : List.of("sh", "readlink", "dirname", "chmod")) {
            executable(bin.resolve(tool), "#!/bin/sh\nPATH=/usr/bin:/bin; exec " + tool + " \"$@\"\n");
        }
        environment.put("PATH", bin.toString());
        environment.put("HOME", machine.resolve("home").toString());
        environment.put("VIGIL_JDK_ROOT", machine.toString());
    }

    @Test
    void mvnw_still_sources_the_search_right_below_its_first_line() throws IOException {
        List<String> mvnw = Files.readAllLines(PROJECT.resolve("mvnw"));

        assertThat(mvnw.get(1))
                .as("line 2 of mvnw; an upgrade of the wrapper drops it, put it back from version control")
                .startsWith(". \"$(dirname \"$0\")/.mvn/jdk.sh\"");
    }

    @Test
    void mvnw_refuses_a_maven_whose_checksum_is_another() throws IOException {
        String properties = Files.readString(PROJECT.resolve(".mvn/wrapper/maven-wrapper.properties"));

        assertThat(properties)
                .as("an upgrade of the wrapper drops the checksum, add the new one")
                .containsPattern("(?m)^distributionSha256Sum=[0-9a-f]{64}$");
    }

    @Test
    void without_a_jdk_one_sentence_says_what_to_do() throws Exception {
        fakeJdk("usr/lib/jvm/java-17", "17.0.15");

        Answer answer = search();

        assertThat(answer.status()).isEqualTo(69);
        assertThat(answer.lines())
                .containsExactly(
                        "Vigil needs a JDK 25 or newer and found none: install one (Debian, Ubuntu: apt install "
                                + "openjdk-25-jdk, or temurin-25-jdk from https://adoptium.net; macOS: brew install openjdk@25) "
                                + "or point JAVA_HOME at it.");
    }

    @Test
    void mvnw_without_a_jdk_stops_there_too() throws Exception {
        Answer answer = run("sh", PROJECT.resolve("mvnw").toString(), "-v");

        assertThat(answer.status()).isEqualTo(69);
        assertThat(answer.lines()).hasSize(1).first().asString().startsWith("Vigil needs a JDK 25");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "usr/lib/jvm/temurin-25-jdk-amd64",
                "opt/jdk-25.0.3+9",
                "opt/java/openjdk",
                "home/.sdkman/candidates/java/25.0.3-tem",
                "home/.jdks/temurin-25",
                "home/.asdf/installs/java/temurin-25",
                "home/.local/share/mise/installs/java/25",
                "Library/Java/JavaVirtualMachines/temurin-25.jdk/Contents/Home",
                "home/Library/Java/JavaVirtualMachines/temurin-25.jdk/Contents/Home",
                "opt/homebrew/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home"
            })
    void a_jdk_is_found_in(String folder) throws Exception {
        Path jdk = fakeJdk(folder, "25.0.3");

        assertThat(search().lines()).containsExactly(jdk.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"JAVA_HOME", "JAVA25_HOME", "JDK25_HOME", "JAVA_HOME_25_X64"})
    void a_jdk_is_found_by(String variable) throws Exception {
        fakeJdk("usr/lib/jvm/installed", "25.0.1");
        environment.put(variable, fakeJdk("elsewhere", "25.0.3").toString());

        assertThat(search().lines())
                .containsExactly(machine.resolve("elsewhere").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"SDKMAN_DIR=candidates/java", "ASDF_DATA_DIR=installs/java", "MISE_DATA_DIR=installs/java"})
    void a_version_manager_that_was_moved_is_found_by(String variable) throws Exception {
        String[] nameAndFolder = variable.split("=", 2);
        environment.put(nameAndFolder[0], machine.resolve("moved").toString());
        Path jdk = fakeJdk("moved/" + nameAndFolder[1] + "/25", "25.0.3");

        assertThat(search().lines()).containsExactly(jdk.toString());
    }

    @Test
    void javac_on_the_path_leads_to_its_jdk_through_links() throws Exception {
        Path jdk = fakeJdk("somewhere", "26");
        Files.createSymbolicLink(machine.resolve("bin/javac"), jdk.resolve("bin/javac"));

        assertThat(search().lines()).containsExactly(jdk.toRealPath().toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"17.0.15", "24.0.2", "1.8.0_452"})
    void an_older_java_home_is_passed_over(String version) throws Exception {
        environment.put("JAVA_HOME", fakeJdk("old", version).toString());
        Path jdk = fakeJdk("usr/lib/jvm/new", "25");

        assertThat(search().lines()).containsExactly(jdk.toString());
    }

    @Test
    void a_runtime_without_a_compiler_is_passed_over() throws Exception {
        Files.delete(fakeJdk("usr/lib/jvm/runtime", "25.0.3").resolve("bin/javac"));

        assertThat(search().status()).isEqualTo(69);
    }

    @Test
    void of_several_installed_the_lowest_that_is_enough_is_taken() throws Exception {
        fakeJdk("usr/lib/jvm/a-26", "26-ea");
        fakeJdk("usr/lib/jvm/b-24", "24.0.2");
        Path jdk = fakeJdk("usr/lib/jvm/c-25", "25.0.3");
        fakeJdk("opt/d-27", "27");

        assertThat(search().lines()).containsExactly(jdk.toString());
    }

    @Test
    void a_folder_with_a_blank_in_its_name_is_found() throws Exception {
        Path jdk = fakeJdk("opt/my jdk", "25.0.3");

        assertThat(search().lines()).containsExactly(jdk.toString());
    }

    @Test
    void without_unzip_the_jdk_unpacks_maven() throws Exception {
        Path jdk = Path.of(System.getProperty("java.home"));
        environment.put("JAVA_HOME", jdk.toString());
        Path zip = machine.resolve("maven.zip");
        Files.createDirectories(machine.resolve("out"));
        Path script = Files.writeString(
                Files.createDirectories(machine.resolve("in/maven/bin")).resolve("mvn"), "echo it runs");
        run(
                jdk.resolve("bin/jar").toString(),
                "-cMf",
                zip.toString(),
                "-C",
                machine.resolve("in").toString(),
                ".");

        Answer answer = run(
                "sh",
                "-eufc",
                ". \"$0\"; unzip -q \"$1\" -d \"$2\"",
                PROJECT.resolve(".mvn/jdk.sh").toString(),
                zip.toString(),
                machine.resolve("out").toString());

        assertThat(answer.lines()).isEmpty();
        assertThat(machine.resolve("out").resolve(machine.resolve("in").relativize(script)))
                .isExecutable();
    }

    private Path fakeJdk(String folder, String version) throws IOException {
        Path home = machine.resolve(folder);
        executable(Files.createDirectories(home.resolve("bin")).resolve("javac"), "");
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private static void executable(Path file, String text) throws IOException {
        Files.writeString(file, text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    /// Sources the file under the strictest options a caller may have set.
    private Answer search() throws Exception {
        return run(
                "sh",
                "-euc",
                ". \"$0\"; echo \"$JAVA_HOME\"",
                PROJECT.resolve(".mvn/jdk.sh").toString());
    }

    private Answer run(String... command) throws Exception {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        List<String> lines = process.inputReader().readAllLines();
        return new Answer(process.waitFor(), lines);
    }

    private record Answer(int status, List<String> lines) {}
}
