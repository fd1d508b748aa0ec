package dev.vigil.platform;

import dev.vigil.protocol.tree.Checkpoint;
import dev.vigil.protocol.tree.Hash;
import dev.vigil.protocol.tree.InclusionProof;
import dev.vigil.protocol.tree.VerifierKey;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `./vigil demo`: the platform as a new user meets it. Starts `./vigil dev` in a temporary folder, sends the example
/// tasks in over REST, compares every answer with the known one, verifies an audit proof, exports a subject, stops.
public final class Demo {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration START_PATIENCE = Duration.ofMinutes(3);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String SUBJECT = "customer-4711";

    private final Path launcher;
    private final PrintStream out;

    private Demo(Path launcher, PrintStream out) {
        this.launcher = launcher;
        this.out = out;
    }

    /// Runs the demo and exits 0, or says what failed and exits 1.
    ///
    /// @param args the path of the launcher script
    public static void main(String[] args) throws IOException, InterruptedException {
        var demo = new Demo(Path.of(args[0]).toAbsolutePath(), System.out);
        System.exit(demo.run() ? 0 : 1);
    }

    private boolean run() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("vigil-demo-");
        Process dev = start(folder);
        boolean good = false;
        try {
            good = show(ready(folder, dev));
        } catch (IllegalStateException | VigilClient.Unreachable e) {
            out.println("\n✘ " + e.getMessage());
        } finally {
            out.println("\nStopping.");
            command("stop", "--data", folder.toString()).inheritIO().start().waitFor();
            dev.waitFor();
            if (good) {
                Trees.delete(folder);
            } else {
                out.println("The logs are in " + folder);
            }
        }
        out.println(good ? "✔ Everything came to what it should." : "✘ The demo failed; see above.");
        return good;
    }

    private Process start(Path folder) throws IOException {
        Path handlers = launcher.resolveSibling("examples").resolve("handlers");
        return command(
                        "dev",
                        "--data",
                        folder.toString(),
                        "--port",
                        "0",
                        "--handlers",
                        handlers.toString(),
                        "--approve-handlers")
                .inheritIO()
                .start();
    }

    private ProcessBuilder command(String... words) {
        var line = new ArrayList<>(List.of(launcher.toString()));
        line.addAll(List.of(words));
        return new ProcessBuilder(line);
    }

    private static JsonNode ready(Path folder, Process dev) throws IOException, InterruptedException {
        Path file = folder.resolve("ready.json");
        long start = System.nanoTime();
        while (!Files.exists(file)) {
            if (!dev.isAlive()) {
                throw new IllegalStateException(
                        "vigil dev ended with status " + dev.exitValue() + " before it was ready");
            }
            if (System.nanoTime() - start > START_PATIENCE.toNanos()) {
                throw new IllegalStateException("vigil dev was not ready within " + START_PATIENCE.toSeconds() + " s");
            }
            Thread.sleep(50);
        }
        return JSON.readTree(Files.readString(file));
    }

    /// Shows a running platform.
    ///
    /// @param ready    how to reach it: the content of its `ready.json`
    /// @param examples the folder with the tasks and what they come to
    /// @return whether everything came to what it should
    static boolean show(JsonNode ready, Path examples, PrintStream out) throws IOException {
        return new Demo(examples.resolveSibling("vigil"), out).show(ready);
    }

    private boolean show(JsonNode ready) throws IOException {
        String url = ready.path("url").asString();
        JsonNode credentials = ready.path("client");
        VigilClient client = VigilClient.ofClient(
                url,
                credentials.path("client_id").asString(),
                credentials.path("client_secret").asString());
        VigilClient admin = VigilClient.ofUser(
                url,
                ready.path("admin").path("username").asString(),
                ready.path("admin").path("password").asString());

        out.println("\nTasks, sent in over REST with an OAuth2 token, and what they came to:");
        Examples examples = Examples.in(launcher.resolveSibling("examples"));
        Map<String, String> ids = examples.create(client);
        boolean right = true;
        String audited = null;
        for (var task : ids.entrySet()) {
            Examples.Verdict verdict = examples.judge(client, task.getKey(), task.getValue(), PATIENCE);
            out.printf("  %s %-56s %s%n", verdict.right() ? "✔" : "✘", verdict.name(), verdict.words());
            right &= verdict.right();
            audited = audited == null ? verdict.id() : audited;
        }
        boolean proven = proof(admin, audited);
        boolean exported = export(url, admin);
        return right && proven && exported;
    }

    /// Fetches an event with its proof and checks it here, with nothing but the public key.
    private boolean proof(VigilClient admin, @Nullable String task) {
        String query = "/api/v1/audit/events?event_type=task_execution&action=execute&task_id=" + task;
        JsonNode event = waitFor(
                "the audit event of task " + task,
                () -> admin.get(query).expect(200).path("items").path(0));
        String id = event.path("id").asString();
        JsonNode proof = admin.get("/api/v1/audit/events/" + id + "/proof").expect(200);
        String vkey = admin.get("/api/v1/audit/public-key").text().strip();
        VerifierKey key = VerifierKey.parse(vkey)
                .orElseThrow(() -> new IllegalStateException("the public key is no C2SP vkey: " + vkey));

        byte[] leaf = Base64.getDecoder().decode(proof.path("leaf").asString());
        List<Hash> path = proof.path("path")
                .valueStream()
                .map(hash -> Hash.of(Base64.getDecoder().decode(hash.asString())))
                .toList();
        var inclusion = new InclusionProof(
                proof.path("index").asLong(), proof.path("tree_size").asLong(), path);
        byte[] note = proof.path("checkpoint").asString().getBytes(StandardCharsets.UTF_8);
        boolean proven = Checkpoint.open(note, key) instanceof Checkpoint.Opened.Verified(Checkpoint checkpoint)
                && inclusion.proves(Hash.leaf(leaf), checkpoint.head())
                && new String(leaf, StandardCharsets.UTF_8).contains(id);
        out.printf(
                "%nAudit: event %s is leaf %d of %d, proven by %d hashes and a signed checkpoint: %s%n",
                id, inclusion.index(), inclusion.treeSize(), path.size(), proven ? "✔" : "✘ the proof does not hold");
        out.println("       " + new String(leaf, StandardCharsets.UTF_8));
        return proven;
    }

    /// A privacy officer asks for everything about one subject and reads the export.
    private boolean export(String url, VigilClient admin) throws IOException {
        String password = HexFormat.of().formatHex(randomBytes());
        // A name of its own: the demo may be shown again on the same platform.
        String name = "demo-privacy-" + password.substring(0, 6);
        admin.post("/api/v1/users", Map.of("username", name, "password", password, "role", "privacy_officer"))
                .expect(201);
        VigilClient officer = VigilClient.ofUser(url, name, password);
        String request = officer.post(
                        "/api/v1/gdpr/requests",
                        Map.of("kind", "access", "subject", SUBJECT, "reason", "Shown in the demo"))
                .expect(202)
                .path("id")
                .asString();
        waitFor("the export of " + SUBJECT, () -> {
            JsonNode state = officer.get("/api/v1/gdpr/requests/" + request).expect(200);
            return "done".equals(state.path("state").asString()) ? state : JSON.missingNode();
        });
        HttpResponse<byte[]> zip = officer.getBytes("/api/v1/gdpr/requests/" + request + "/export");
        List<String> names = names(zip.body());
        boolean complete = zip.statusCode() == 200
                && names.containsAll(
                        List.of("manifest.json", "data/tasks.json", "data/executions.json", "data/audit.json"));
        out.printf(
                "%nPrivacy: everything about %s in one signed zip (%,d bytes): %s %s%n",
                SUBJECT, zip.body().length, String.join(", ", names), complete ? "✔" : "✘");
        return complete;
    }

    private static List<String> names(byte[] zip) throws IOException {
        var names = new ArrayList<String>();
        try (var in = new ZipInputStream(new ByteArrayInputStream(zip))) {
            for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                names.add(entry.getName());
            }
        }
        return names;
    }

    private static byte[] randomBytes() {
        var bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }

    private static JsonNode waitFor(String what, java.util.function.Supplier<JsonNode> look) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < PATIENCE.toNanos()) {
            JsonNode found = look.get();
            if (!found.isMissingNode()) {
                return found;
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for " + what, e);
            }
        }
        throw new IllegalStateException(what + " did not appear within " + PATIENCE.toSeconds() + " s");
    }
}
