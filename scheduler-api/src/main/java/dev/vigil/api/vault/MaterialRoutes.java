package dev.vigil.api.vault;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.payload.TaskKey;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.execution.Held;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/// What workers fetch and store over HTTPS for executions that they hold.
final class MaterialRoutes implements Routes {
    /// Largest sealed result: a MiB of JSON and what sealing adds, rounded up.
    static final int RESULT_BYTES_MAX = (1 << 20) + 1024;

    private static final int MATERIALS_BODY_MAX = 65_536;
    private static final long FENCE_MAX = (1L << 53) - 1;

    private final PeerGate peers;
    private final Materials materials;
    private final Executions executions;

    MaterialRoutes(PeerGate peers, Materials materials, Executions executions) {
        this.peers = peers;
        this.materials = materials;
        this.executions = executions;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.post("/worker/v1/materials", "getMaterials")
                        .about(
                                "Worker side",
                                "Task keys, secrets and token values for executions that this worker holds")
                        .certificate()
                        .body("MaterialsRequest")
                        .answers(200, "Materials")
                        .handler(this::materials),
                Route.get("/worker/v1/payloads/{execution}", "getSealedPayload")
                        .about("Worker side", "Sealed payload of an execution that this worker holds")
                        .certificate()
                        .query("fence", "boot")
                        .answers(200, "application/octet-stream")
                        .handler(this::payload),
                Route.put("/worker/v1/results/{execution}", "putSealedResult")
                        .about("Worker side", "Sealed result that is too large for the link")
                        .certificate()
                        .query("fence", "boot")
                        .answers(204, "")
                        .handler(this::result));
    }

    private Answer materials(Call call) throws IOException {
        WorkerRow worker = peers.worker(call);
        Fields fields = call.json(MATERIALS_BODY_MAX, "");
        UUID boot = boot(fields.text("boot", 36)).orElseGet(() -> {
            fields.refuse("boot", "format", "is no UUID", null);
            return worker.id();
        });
        var claims = new ArrayList<Held.Claim>();
        for (Fields item : fields.objects("executions", Materials.EXECUTIONS_MAX)) {
            Optional<Id> execution = Id.parse(Kind.EXECUTION, item.text("execution", 64));
            if (execution.isEmpty()) {
                item.refuse("execution", "format", "is no id of an execution", null);
            }
            long fence = item.wholeNumber("fence", 0, FENCE_MAX).orElseGet(() -> item.missing("fence", 0L));
            execution.ifPresent(id -> claims.add(new Held.Claim(id.uuid(), fence)));
        }
        fields.finish();
        List<Map<String, Object>> answers = materials.of(worker, boot, claims).stream()
                .map(MaterialRoutes::view)
                .toList();
        return Answer.json(200, Map.of("materials", answers));
    }

    private static Map<String, Object> view(Materials.Material material) {
        return switch (material) {
            case Materials.Material.Granted granted -> view(granted);
            case Materials.Material.Refused(UUID execution, long fence, Materials.Reason reason) ->
                Map.of(
                        "execution", new Id(Kind.EXECUTION, execution).toString(),
                        "fence", fence,
                        "refused", reason.name().toLowerCase(Locale.ROOT));
        };
    }

    private static Map<String, Object> view(Materials.Material.Granted granted) {
        Held.Open held = granted.held();
        var secrets = new TreeMap<String, String>();
        var tokens = new TreeMap<String, String>();
        var fieldKeys = new TreeMap<String, String>();
        for (References.Resolved one : granted.resolved()) {
            switch (one) {
                case References.Resolved.Secret secret ->
                    secrets.put(secret.name(), text(secret.value().bytes()));
                case References.Resolved.Token token -> tokens.put(token.reference(), text(token.value()));
                case References.Resolved.FieldKey key ->
                    fieldKeys.put(key.field().toString(), base64(key.key()));
            }
        }
        return Map.of(
                "execution", new Id(Kind.EXECUTION, held.execution()).toString(),
                "fence", held.fence(),
                "task_key", base64(granted.taskKey()),
                "key_id", held.keyId().toString(),
                "secrets", secrets,
                "tokens", tokens,
                "field_keys", fieldKeys);
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static String base64(byte[] key) {
        return Base64.getEncoder().encodeToString(key);
    }

    private Answer payload(Call call) {
        Held.Open held = held(call);
        byte[] sealed = executions.sealedPayload(held).orElseThrow(() -> new ProblemException(Problem.notFound()));
        return Answer.bytes(200, "application/octet-stream", sealed);
    }

    private Answer result(Call call) throws IOException {
        Held.Open held = held(call);
        byte[] sealed = call.body(RESULT_BYTES_MAX);
        if (sealed.length < TaskKey.OVERHEAD) {
            throw new ProblemException(Code.MALFORMED_REQUEST, "The body is no sealed record.");
        }
        executions.storeResult(held, sealed);
        return Answer.empty(204);
    }

    /// The execution of the path, if the caller holds it under the fence of the query.
    private Held.Open held(Call call) {
        WorkerRow worker = peers.worker(call);
        UUID execution = call.id("execution", Kind.EXECUTION);
        Optional<Long> fence = call.query("fence")
                .filter(text -> text.matches("[0-9]{1,16}"))
                .map(Long::valueOf)
                .filter(number -> number <= FENCE_MAX);
        Optional<UUID> boot = call.query("boot").flatMap(MaterialRoutes::boot);
        if (fence.isEmpty() || boot.isEmpty()) {
            throw new ProblemException(
                    Code.MALFORMED_REQUEST, "This call needs the parameters fence, a number, and boot, a UUID.");
        }
        return materials
                .held(worker, boot.get(), new Held.Claim(execution, fence.get()))
                .orElseThrow(() -> new ProblemException(
                        Code.PERMISSION_DENIED, "This worker does not hold that execution under that fence."));
    }

    private static Optional<UUID> boot(String text) {
        try {
            UUID uuid = UUID.fromString(text);
            return uuid.toString().equalsIgnoreCase(text) ? Optional.of(uuid) : Optional.empty();
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }
}
