package dev.vigil.agent.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.agent.sandbox.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HandlerYamlTest {
    private static final String GOOD = "name: a.b\nversion: 1\ncommand: [x, 1]\nisolation: pooled\n";

    @TempDir
    Path folder;

    private List<Handler> read(String yaml) throws IOException, HandlerUnreadableException {
        Path handler = Files.createDirectories(folder.resolve("one"));
        Files.writeString(handler.resolve("handler.yaml"), yaml);
        return Handler.readAll(folder);
    }

    @Test
    void the_examples_are_read() throws HandlerUnreadableException {
        List<Handler> handlers = Handler.readAll(Path.of("../examples/handlers"));

        assertThat(handlers)
                .extracting(Handler::name)
                .containsExactly("files.archive", "files.checksum", "ledger.sign", "notify.render", "orders.rollup");
        assertThat(handlers)
                .allMatch(Handler::runsHere)
                .allMatch(handler -> handler.inputSchema().isPresent());
    }

    @Test
    void every_field_is_read() throws Exception {
        Handler handler = read(GOOD
                        + "description: x\nnetwork: none\ninput_schema: {type: object}\nsecrets_allowed: [db-*, key]\n"
                        + "limits: {memory: 512MB, pids: 50, cpus: 0.5, tmp: 1MB, open_files: 64, file_size: 2MB}\n")
                .getFirst();

        assertThat(handler.name()).isEqualTo("a.b");
        assertThat(handler.version()).isEqualTo("1");
        assertThat(handler.command()).containsExactly("x", "1");
        assertThat(handler.isolation()).isEqualTo(Isolation.POOLED);
        assertThat(handler.secretsAllowed()).contains(List.of("db-*", "key"));
        assertThat(handler.inputSchema())
                .hasValueSatisfying(schema -> assertThat(schema).containsEntry("type", "object"));
        assertThat(handler.limits()).isEqualTo(new Limits(512L << 20, 50, 0.5, 1L << 20, 64, 2L << 20));
        assertThat(read(GOOD).getFirst().limits()).isEqualTo(Limits.DEFAULT);
    }

    @Test
    void an_image_or_a_network_is_read_and_cannot_run_here() throws Exception {
        Handler image = read("name: a\nversion: 1\nimage: x/y@sha256:0\nisolation: fresh\n")
                .getFirst();
        Handler network = read(GOOD + "network: [smtp.example.org]\n").getFirst();

        assertThat(image.notHere()).contains("needs a container engine for image x/y@sha256:0");
        assertThat(network.notHere()).contains("asks for network [smtp.example.org]");
        assertThat(image.runsHere()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    version: 1~command: [x]~isolation: fresh | name is missing
                    name: A b~version: 1~command: [x]~isolation: fresh | name is A b; use words of a-z and 0-9
                    name: a~version: 1~isolation: fresh | command is missing; write command: [program, argument]
                    name: a~version: 1~command: run~isolation: fresh | command is run; use a list
                    name: a~version: 1~command: []~isolation: fresh | command is []; use a list
                    name: a~version: 1~command: [{}]~isolation: fresh | command is {}; use a text
                    name: a~version: 1.10~command: [x]~isolation: fresh | version is 1.1; use quotes around a text
                    name: a~version: 1~command: [x]~isolation: inproc | isolation is inproc; use pooled or fresh
                    name: a~version: 1~command: [x]~image: y~isolation: fresh | either command or image
                    name: a~version: 1~command: [x]~isolation: fresh~netwrok: none | netwrok is unknown; use [command,
                    name: a~version: 1~command: [x]~isolation: fresh~network: all | network is all; use none, or a list
                    name: a~version: 1~command: [x]~isolation: fresh~limits: {ram: 1MB} | limits.ram is unknown; use [cpus,
                    name: a~version: 1~command: [x]~isolation: fresh~limits: {memory: 3GB} | limits.memory is 3GB; use at most
                    name: a~version: 1~command: [x]~isolation: fresh~limits: {memory: 1MB} | limits.memory is 1048576; use
                    name: a~version: 1~command: [x]~isolation: fresh~limits: {memory: much} | limits.memory is much; use
                    name: a~version: 1~command: [x]~isolation: fresh~limits: {cpus: 3} | limits.cpus is 3; use at most 2.0
                    name: a~version: 1~command: [x]~isolation: fresh~limits: {cpus: all} | limits.cpus is all; use a number
                    name: a~version: 1~command: [x]~isolation: fresh~input_schema: x | input_schema is not a list of
                    name: a~name: b~version: 1~command: [x]~isolation: fresh | is not readable YAML
                    name: !!java.net.URL [x]~version: 1~command: [x]~isolation: fresh | is not readable YAML
                    - name | the file is not a list of
                    """)
    void whatever_is_wrong_is_named_with_what_is_possible(String yaml, String message) {
        assertThatThrownBy(() -> read(yaml.replace('~', '\n')))
                .isInstanceOf(HandlerUnreadableException.class)
                .hasMessageContaining(folder.resolve("one").toString())
                .hasMessageContaining(message);
    }

    @Test
    void a_folder_without_its_file_and_a_name_that_is_there_twice_are_errors() throws IOException {
        Files.createDirectories(folder.resolve("one"));
        assertThatThrownBy(() -> Handler.readAll(folder)).hasMessageContaining("has no handler.yaml");
        for (String name : List.of("one", "two")) {
            Files.writeString(Files.createDirectories(folder.resolve(name)).resolve("handler.yaml"), GOOD);
        }
        assertThatThrownBy(() -> Handler.readAll(folder)).hasMessageContaining("two folders are handler a.b");
        assertThatThrownBy(() -> Handler.readAll(folder.resolve("none"))).hasMessageContaining("is not a folder");
    }
}
