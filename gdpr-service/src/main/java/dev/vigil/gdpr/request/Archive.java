package dev.vigil.gdpr.request;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// The zip of an access request: the data as JSON and CSV, a page for people, a manifest with the hash of every file,
/// and the manifest's detached signature.
final class Archive {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    private static final List<String> TASK_COLUMNS = List.of(
            "id",
            "namespace",
            "name",
            "handler",
            "type",
            "schedule",
            "priority",
            "state",
            "created_by",
            "created_at",
            "labels",
            "payload");
    private static final List<String> EXECUTION_COLUMNS = List.of(
            "id",
            "task_id",
            "state",
            "attempt",
            "scheduled_for",
            "started_at",
            "finished_at",
            "duration_ms",
            "worker_id",
            "result",
            "error_code",
            "error_detail");
    private static final List<String> TOKEN_COLUMNS =
            List.of("token", "namespace", "kind", "value", "created_by", "created_at");
    private static final List<String> ACCOUNT_COLUMNS = List.of(
            "id",
            "kind",
            "username",
            "role",
            "namespace",
            "enabled",
            "permissions",
            "requests_per_minute",
            "created_at",
            "api_keys",
            "sign_ins",
            "sign_ins_complete");
    private static final List<String> EVENT_COLUMNS = List.of(
            "seq",
            "id",
            "timestamp",
            "event_type",
            "action",
            "result",
            "user_id",
            "task_id",
            "execution_id",
            "worker_id");

    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final Content content;

    Archive(Content content) {
        this.content = content;
    }

    /// What goes into it.
    ///
    /// @param request    its id, `dsr_…`
    /// @param subject    his name
    /// @param at         when it was collected
    /// @param complete   false when it was cut at its largest size
    /// @param tokens     PII tokens with their values
    /// @param account    one item, or none when he is no user
    record Content(
            String request,
            String subject,
            Instant at,
            boolean complete,
            List<JsonNode> tasks,
            List<JsonNode> executions,
            List<JsonNode> tokens,
            List<JsonNode> account,
            List<JsonNode> events) {
        @Override
        public String toString() {
            return "Content[" + request + "]";
        }
    }

    /// The zip, signed.
    byte[] signedBy(Signer signer) {
        add("data/tasks", content.tasks(), TASK_COLUMNS);
        add("data/executions", content.executions(), EXECUTION_COLUMNS);
        add("data/tokens", content.tokens(), TOKEN_COLUMNS);
        add("data/account", content.account(), ACCOUNT_COLUMNS);
        add("data/audit", content.events(), EVENT_COLUMNS);
        files.put("index.html", IndexPage.of(content).getBytes(StandardCharsets.UTF_8));
        files.put("signing-key.pem", signer.publicKeyPem().getBytes(StandardCharsets.US_ASCII));
        byte[] manifest = JSON.writeValueAsBytes(manifest());
        files.put("manifest.json", manifest);
        files.put("manifest.json.sig", signer.sign(manifest));
        return zip();
    }

    private void add(String name, List<JsonNode> items, List<String> columns) {
        files.put(name + ".json", JSON.writeValueAsBytes(items));
        files.put(name + ".csv", Csv.of(columns, items));
    }

    private Map<String, Object> manifest() {
        List<Map<String, Object>> listed = new ArrayList<>();
        files.forEach((name, bytes) -> {
            Map<String, Object> file = new LinkedHashMap<>();
            file.put("name", name);
            file.put("bytes", bytes.length);
            file.put("sha256", sha256(bytes));
            listed.add(file);
        });
        Map<String, Object> manifest = new LinkedHashMap<>();
        manifest.put("format", "vigil-subject-export/1");
        manifest.put("request", content.request());
        manifest.put("subject", content.subject());
        manifest.put("created_at", content.at().toString());
        manifest.put("complete", content.complete());
        manifest.put(
                "counts",
                Map.of(
                        "tasks", content.tasks().size(),
                        "executions", content.executions().size(),
                        "tokens", content.tokens().size(),
                        "accounts", content.account().size(),
                        "audit_events", content.events().size()));
        manifest.put("files", listed);
        return manifest;
    }

    private byte[] zip() {
        var out = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(out)) {
            for (var file : files.entrySet()) {
                var entry = new ZipEntry(file.getKey());
                entry.setTimeLocal(LocalDateTime.ofInstant(content.at(), ZoneOffset.UTC));
                zip.putNextEntry(entry);
                zip.write(file.getValue());
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new IllegalStateException("a zip in memory cannot fail", e);
        }
        return out.toByteArray();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("SHA-256 is part of every JDK", e);
        }
    }
}
