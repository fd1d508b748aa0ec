package dev.vigil.cli.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vigil.cli.Vigil;
import dev.vigil.protocol.tree.Hash;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// The command as it is typed, against folders and against a server that may lie.
class AuditCommandTest {
    private static final String KEY = TestLog.SIGNER.verifier().toString();
    private static final String BASE = "/api/v1/audit/";

    private final List<String> asked = new ArrayList<>();
    private final AtomicInteger busyAnswers = new AtomicInteger();
    private TestLog log = TestLog.of(300);
    private String token = "sound-token";
    private Map<String, Object> proof = Map.of();

    @TempDir
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private HttpServer server;

    private record Ran(int exitCode, String out, String err) {}

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void a_sound_folder_is_verified_without_any_server() throws IOException {
        server.stop(0);
        log.writeTo(folder);

        Ran ran = run("audit", "verify", "--dir", folder.toString(), "--key", KEY, "--no-state");

        assertThat(ran.exitCode()).isEqualTo(0);
        assertThat(ran.out()).contains("VERIFIED: audit log test.vigil/audit, 300 entries");
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void a_changed_entry_ends_with_8_and_its_name() throws IOException {
        byte[] bundle = log.files().getOrDefault("tile/entries/000", new byte[0]);
        bundle[bundle.length - 3] ^= 1;
        log.writeTo(folder);

        Ran ran = run("audit", "verify", "--dir", folder.toString(), "--key", KEY, "--no-state");

        assertThat(ran.exitCode()).isEqualTo(8);
        assertThat(ran.out()).contains("TAMPERING: entry 255 (" + TestLog.id(255) + ") is the first bad one");
    }

    @Test
    void a_server_is_verified_and_the_checkpoint_remembered() {
        Ran ran = run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--state", state());
        assertThat(ran.exitCode()).as(ran.toString()).isEqualTo(0);
        assertThat(ran.out()).contains("300 entries");

        log = TestLog.of(200);
        Ran cut = run("audit", "verify", "--url", url() + "/", "--key", KEY, "--token", token, "--state", state());

        assertThat(cut.exitCode()).isEqualTo(8);
        assertThat(cut.out()).contains("the log was cut: it has 200 entries and had 300");
        assertThat(run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--no-state")
                        .exitCode())
                .isEqualTo(0);
    }

    @Test
    void a_downloaded_log_verifies_and_a_second_download_fetches_only_what_is_new() {
        assertThat(run("audit", "download", "--url", url(), "--token", token, "--dir", folder.toString())
                        .exitCode())
                .isEqualTo(0);
        log = TestLog.of(700);
        asked.clear();

        Ran ran = run("audit", "download", "--url", url(), "--token", token, "--dir", folder.toString());

        assertThat(ran.out()).contains("700 entries, 5 new files");
        assertThat(asked).doesNotContain(BASE + "tile/0/000", BASE + "tile/entries/000");
        server.stop(0);
        assertThat(run("audit", "verify", "--dir", folder.toString(), "--key", KEY, "--no-state"))
                .extracting(Ran::exitCode)
                .isEqualTo(0);
    }

    @Test
    void a_folder_whose_partial_tile_became_full_still_verifies_its_older_checkpoint() throws IOException {
        log.writeTo(folder);
        TestLog grown = TestLog.of(600);
        for (String path : List.of("tile/0/001", "tile/entries/001")) {
            Files.delete(folder.resolve(path + ".p/44"));
            Files.write(folder.resolve(path), grown.files().getOrDefault(path, new byte[0]));
        }

        assertThat(run("audit", "verify", "--dir", folder.toString(), "--key", KEY, "--no-state"))
                .extracting(Ran::exitCode)
                .isEqualTo(0);
    }

    @Test
    void one_event_is_verified_by_its_proof_alone() {
        proof = proofOf(log, 123);

        Ran ran = run("audit", "verify", "--url", url(), "--key", KEY, "--event", TestLog.id(123), "--token", token);

        assertThat(ran.exitCode()).as(ran.toString()).isEqualTo(0);
        assertThat(ran.out()).contains("event " + TestLog.id(123) + " is entry 123 of 300");
        assertThat(asked).noneMatch(path -> path.contains("tile/entries"));
    }

    @Test
    void a_forged_event_is_named() {
        var forged = new java.util.HashMap<>(proofOf(log, 123));
        byte[] leaf = log.entries().get(123).clone();
        leaf[leaf.length - 2] ^= 1;
        forged.put("leaf", Base64.getEncoder().encodeToString(leaf));
        proof = forged;
        assertEventTampered(123, "entry 123 (" + TestLog.id(123) + ")");

        proof = proofOf(log, 124);
        assertEventTampered(123, "shows entry 124 as event " + TestLog.id(123));

        proof = Map.of("path", List.of("no base64"));
        assertEventTampered(123, "cannot be read");
    }

    @Test
    void a_proof_of_a_rewritten_log_contradicts_what_was_remembered() {
        run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--state", state());
        List<byte[]> entries = new ArrayList<>(TestLog.of(400).entries());
        entries.set(5, new byte[] {1});
        log = TestLog.of(entries, TestLog.SIGNER);
        proof = proofOf(log, 123);

        Ran ran = run(
                "audit",
                "verify",
                "--url",
                url(),
                "--key",
                KEY,
                "--token",
                token,
                "--state",
                state(),
                "--event",
                TestLog.id(123));

        assertThat(ran.exitCode()).isEqualTo(8);
        assertThat(ran.out()).contains("the log was rewritten");
    }

    @Test
    void an_unknown_event_ends_with_6() {
        assertThat(run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--event", TestLog.id(9_999)))
                .extracting(Ran::exitCode)
                .isEqualTo(6);
    }

    @Test
    void a_missing_or_refused_token_ends_with_4_and_says_how_to_give_one() {
        Ran none = run("audit", "verify", "--url", url(), "--key", KEY);
        assertThat(none.exitCode()).isEqualTo(4);
        assertThat(none.err()).contains("--token, VIGIL_TOKEN");

        assertThat(run("audit", "verify", "--url", url(), "--key", KEY, "--token", "other"))
                .extracting(Ran::exitCode)
                .isEqualTo(4);
    }

    @Test
    void a_running_dev_on_this_machine_gives_the_token() throws IOException {
        Files.writeString(
                folder.resolve("ready.json"),
                "{\"url\":\"" + url() + "\",\"admin\":{\"username\":\"admin\",\"password\":\"right\"}}");

        assertThat(run("audit", "verify", "--url", url(), "--key", KEY, "--no-state", "--data", folder.toString()))
                .extracting(Ran::exitCode)
                .isEqualTo(0);
        Ran elsewhere = run(
                "audit",
                "verify",
                "--url",
                url().replace("127.0.0.1", "localhost"),
                "--key",
                KEY,
                "--data",
                folder.toString());
        assertThat(elsewhere.exitCode()).isEqualTo(4);
    }

    @Test
    void a_busy_server_is_asked_again() {
        busyAnswers.set(2);

        assertThat(run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--no-state"))
                .extracting(Ran::exitCode)
                .isEqualTo(0);
    }

    @Test
    void an_unreachable_server_ends_with_3() {
        String gone = url();
        server.stop(0);

        Ran ran = run("audit", "verify", "--url", gone, "--key", KEY, "--token", token);

        assertThat(ran.exitCode()).isEqualTo(3);
        assertThat(ran.err()).contains("cannot be reached").doesNotContain("\tat ");
        assertThat(run("audit", "download", "--url", gone, "--dir", folder.toString()))
                .extracting(Ran::exitCode)
                .isEqualTo(3);
    }

    @Test
    void a_server_that_withholds_a_tile_it_signed_for_is_tampering() {
        log.files().remove("tile/entries/001.p/44");

        Ran ran = run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--no-state");

        assertThat(ran.exitCode()).isEqualTo(8);
        assertThat(ran.out()).contains("entry 256 is the first bad one: tile/entries/001.p/44 is missing");
    }

    @Test
    void a_folder_without_a_log_ends_with_5() {
        Ran ran = run("audit", "verify", "--dir", folder.toString(), "--key", KEY, "--no-state");

        assertThat(ran.exitCode()).isEqualTo(5);
        assertThat(ran.err()).contains("no file `checkpoint` in " + folder);
    }

    @Test
    void a_changed_memory_is_not_passed_over() throws IOException {
        run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--state", state());
        try (var files = Files.walk(Path.of(state()))) {
            Files.writeString(files.filter(Files::isRegularFile).findFirst().orElseThrow(), "nothing");
        }

        Ran ran = run("audit", "verify", "--url", url(), "--key", KEY, "--token", token, "--state", state());

        assertThat(ran.exitCode()).isEqualTo(5);
        assertThat(ran.err()).contains("was a verified checkpoint and is none now");
    }

    @Test
    void wrong_arguments_end_with_2_and_say_what_is_wrong() {
        String[][] wrong = {
            {"audit", "verify", "--key", KEY},
            {"audit", "verify", "--url", url()},
            {"audit", "verify", "--url", url(), "--dir", "x", "--key", KEY},
            {"audit", "verify", "--dir", "x", "--key", "nonsense"},
            {"audit", "verify", "--dir", "x", "--key", KEY, "--event", "tsk_1"},
            {"audit", "verify", "--dir", "x", "--key", KEY, "--state", "y", "--no-state"},
            {"audit", "verify", "--url", "ftp:nonsense", "--key", KEY, "--no-state"},
            {"audit", "verfy"},
            {"audit", "download", "--url", url()}
        };
        for (String[] arguments : wrong) {
            Ran ran = run(arguments);
            assertThat(ran.exitCode()).as(String.join(" ", arguments)).isEqualTo(2);
            assertThat(ran.err()).startsWith("vigil: ");
        }
        assertThat(run("audit", "verify", "--help").out()).contains("8   tampering");
        assertThat(run().exitCode()).isEqualTo(0);
    }

    private void assertEventTampered(int index, String names) {
        Ran ran = run(
                "audit",
                "verify",
                "--url",
                url(),
                "--key",
                KEY,
                "--token",
                token,
                "--no-state",
                "--event",
                TestLog.id(index));
        assertThat(ran.exitCode()).isEqualTo(8);
        assertThat(ran.out()).contains(names);
    }

    private static Map<String, Object> proofOf(TestLog log, int index) {
        return Map.of(
                "index", index,
                "leaf", Base64.getEncoder().encodeToString(log.entries().get(index)),
                "tree_size", log.entries().size(),
                "path",
                        log.tree().inclusion(index).path().stream()
                                .map(Hash::toString)
                                .toList(),
                "checkpoint", new String(log.checkpoint(), UTF_8));
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        asked.add(path);
        if (path.equals("/api/auth/login")) {
            boolean right = new String(exchange.getRequestBody().readAllBytes(), UTF_8).contains("\"right\"");
            send(exchange, right ? 200 : 401, ("{\"access_token\":\"" + token + "\"}").getBytes(UTF_8));
        } else if (!("Bearer " + token).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            send(exchange, 401, "{}".getBytes(UTF_8));
        } else if (busyAnswers.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            exchange.getResponseHeaders().set("Retry-After", "0");
            send(exchange, 429, new byte[0]);
        } else if (path.endsWith("/proof")) {
            boolean known = !proof.isEmpty();
            send(exchange, known ? 200 : 404, JsonMapper.shared().writeValueAsBytes(proof));
        } else {
            byte[] file = log.files().get(path.substring(BASE.length()));
            send(exchange, file == null ? 404 : 200, file == null ? new byte[0] : file);
        }
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private String state() {
        return folder.resolve("state").toString();
    }

    private static Ran run(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int exitCode = Vigil.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
        return new Ran(exitCode, out.toString(), err.toString());
    }
}
