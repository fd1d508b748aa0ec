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
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What a visitor of a running platform is shown: the example tasks go in over REST, every answer is compared with the
/// known one, an audit proof is verified here, everything about one subject is exported.
final class Tour {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SUBJECT = "customer-4711";
    private static final int PLENTY = 1_000_000;

    private final String url;
    private final VigilClient admin;
    private final PrintStream out;
    // Names of its own: the tour may be taken again on the same platform.
    private final String suffix = random(3);

    private Tour(String url, VigilClient admin, PrintStream out) {
        this.url = url;
        this.admin = admin;
        this.out = out;
    }

    /// Takes the tour.
    ///
    /// @param ready    how to reach the platform: the content of its `ready.json`
    /// @param examples the folder with the tasks and what they come to
    /// @return whether everything came to what it should
    static boolean show(JsonNode ready, Path examples, PrintStream out) throws IOException {
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
        return new Tour(url, admin, out).show(Examples.in(examples), client);
    }

    private boolean show(List<Examples> sets, VigilClient client) throws IOException {
        boolean right = true;
        String audited = null;
        for (Examples examples : sets) {
            boolean own = "default".equals(examples.namespace());
            VigilClient steward = own ? admin : steward(examples.namespace());
            VigilClient owner = own ? client : account(examples.namespace());
            out.println("\nTasks of namespace " + examples.namespace()
                    + ", sent in over REST with an OAuth2 token, and what they came to:");
            Map<String, String> ids = examples.create(steward, owner);
            for (var task : ids.entrySet()) {
                Examples.Verdict verdict = examples.judge(owner, task.getKey(), task.getValue(), PATIENCE);
                out.printf("  %s %-58s %s%n", verdict.right() ? "✔" : "✘", verdict.name(), verdict.words());
                right &= verdict.right();
                audited = audited == null ? verdict.id() : audited;
            }
        }
        boolean proven = proof(audited);
        boolean exported = export();
        return right && proven && exported;
    }

    /// An admin of a namespace, which is made when it is not there.
    private VigilClient steward(String namespace) {
        VigilClient.Reply made = admin.post("/api/v1/namespaces", Map.of("name", namespace));
        if (made.status() != 409) {
            made.expect(201);
        }
        String name = namespace + "-admin-" + suffix;
        String password = random(16);
        admin.post(
                        "/api/v1/users",
                        Map.of("username", name, "password", password, "role", "admin", "namespace", namespace))
                .expect(201);
        return VigilClient.ofUser(url, name, password);
    }

    private VigilClient account(String namespace) {
        JsonNode account = admin.post(
                        "/api/v1/service-accounts",
                        Map.of(
                                "name",
                                namespace + "-tasks-" + suffix,
                                "role",
                                "scheduler",
                                "namespace",
                                namespace,
                                "requests_per_minute",
                                PLENTY))
                .expect(201);
        return VigilClient.ofClient(
                url,
                account.path("client_id").asString(),
                account.path("client_secret").asString());
    }

    /// Fetches an event with its proof and checks it here, with nothing but the public key.
    private boolean proof(@Nullable String task) {
        String query = "/api/v1/audit/events?event_type=task_execution&action=execute&task_id=" + task;
        JsonNode event = waitFor(
                "the audit event of task " + task,
                () -> admin.get(query).expect(200).path("items").valueStream().findFirst());
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
    private boolean export() throws IOException {
        String name = "privacy-officer-" + suffix;
        String password = random(16);
        admin.post("/api/v1/users", Map.of("username", name, "password", password, "role", "privacy_officer"))
                .expect(201);
        VigilClient officer = VigilClient.ofUser(url, name, password);
        String request = officer.post(
                        "/api/v1/gdpr/requests",
                        Map.of("kind", "access", "subject", SUBJECT, "reason", "Shown in the demo"))
                .expect(202)
                .path("id")
                .asString();
        waitFor(
                "the export of " + SUBJECT,
                () -> Optional.of(
                                officer.get("/api/v1/gdpr/requests/" + request).expect(200))
                        .filter(state -> "done".equals(state.path("state").asString())));
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

    private static String random(int length) {
        var bytes = new byte[length];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static <T> T waitFor(String what, Supplier<Optional<T>> look) {
        return Polling.until(PATIENCE, look)
                .orElseThrow(() ->
                        new IllegalStateException(what + " did not appear within " + PATIENCE.toSeconds() + " s"));
    }
}
