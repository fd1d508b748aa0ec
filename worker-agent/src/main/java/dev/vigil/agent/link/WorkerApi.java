package dev.vigil.agent.link;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TlsContexts;
import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.TaskKey;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The worker port of the API, as far as executions go: cores, materials, large payloads and results. Every call
/// shows the certificate in force; a renewal makes a new client, so that no connection outlives the certificate it
/// was made with by more than one call.
///
/// Safe for use by several threads.
final class WorkerApi {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final int JSON_BYTES_MAX = 32 << 20;
    private static final int SEALED_BYTES_MAX = (1 << 20) + 1024;
    private static final JsonMapper JSON = new JsonMapper();

    private final URI api;
    private final UUID boot;
    private final IdentityKeeper keeper;
    private volatile HttpClient client;

    WorkerApi(URI api, UUID boot, IdentityKeeper keeper) {
        this.api = api;
        this.boot = boot;
        this.keeper = keeper;
        this.client = newClient();
        keeper.onRenewal(() -> {
            HttpClient old = client;
            client = newClient();
            old.shutdown();
        });
    }

    private HttpClient newClient() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT)
                .sslContext(keeper.clientTls(Peers.service("api")))
                .sslParameters(TlsContexts.parameters())
                .build();
    }

    /// The cores that live now.
    List<CoreAddress> cores() throws IOException, InterruptedException {
        var cores = new ArrayList<CoreAddress>();
        for (JsonNode core : json(get("/worker/v1/cores")).path("cores")) {
            cores.add(new CoreAddress(
                    UUID.fromString(core.path("incarnation").asString()),
                    URI.create(core.path("session_url").asString())));
        }
        return cores;
    }

    /// The materials of all dispatches of one frame, in one call.
    List<Material> materials(List<DispatchRecord> dispatches) throws IOException, InterruptedException {
        var executions = JSON.createArrayNode();
        for (DispatchRecord dispatch : dispatches) {
            executions
                    .addObject()
                    .put("execution", new Id(Kind.EXECUTION, dispatch.execution()).toString())
                    .put("fence", dispatch.fence());
        }
        var body = JSON.createObjectNode().put("boot", boot.toString());
        body.set("executions", executions);
        var request = request("/worker/v1/materials")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body.toString()));
        var materials = new ArrayList<Material>();
        for (JsonNode material : json(request).path("materials")) {
            materials.add(material(material));
        }
        return materials;
    }

    private static Material material(JsonNode json) throws IOException {
        UUID execution = Id.parse(Kind.EXECUTION, json.path("execution").asString())
                .orElseThrow(() -> new IOException("materials name an execution that is none"))
                .uuid();
        String refused = json.path("refused").asString("");
        if (!refused.isEmpty()) {
            return new Material.Refused(execution, refused);
        }
        Map<String, byte[]> secrets =
                texts(json.path("secrets"), Function.identity(), text -> text.getBytes(StandardCharsets.UTF_8));
        Map<String, String> tokens = texts(json.path("tokens"), Function.identity(), Function.identity());
        Map<UUID, TaskKey> fieldKeys = texts(json.path("field_keys"), UUID::fromString, WorkerApi::key);
        TaskKey key = key(json.path("task_key").asString());
        return new Material.Granted(execution, key, new Material.Resolved(secrets, tokens, fieldKeys));
    }

    private static TaskKey key(String base64) {
        return TaskKey.of(Base64.getDecoder().decode(base64));
    }

    private static <K, V> Map<K, V> texts(JsonNode object, Function<String, K> name, Function<String, V> value) {
        var texts = new HashMap<K, V>();
        object.properties()
                .forEach(member -> texts.put(
                        name.apply(member.getKey()),
                        value.apply(member.getValue().asString())));
        return texts;
    }

    /// The sealed payload of a dispatch that carries none.
    byte[] payload(DispatchRecord dispatch) throws IOException, InterruptedException {
        HttpResponse<byte[]> answer = client.send(
                get("/worker/v1/payloads/" + place(dispatch.execution(), dispatch.fence()))
                        .build(),
                BodyHandlers.limiting(BodyHandlers.ofByteArray(), SEALED_BYTES_MAX));
        return expect(answer, 200).body();
    }

    /// Brings a sealed result that is too long for a frame to the API.
    void putResult(UUID execution, long fence, byte[] sealed) throws IOException, InterruptedException {
        HttpResponse<byte[]> answer = client.send(
                request("/worker/v1/results/" + place(execution, fence))
                        .header("Content-Type", "application/octet-stream")
                        .PUT(BodyPublishers.ofByteArray(sealed))
                        .build(),
                BodyHandlers.limiting(BodyHandlers.ofByteArray(), JSON_BYTES_MAX));
        expect(answer, 204);
    }

    private String place(UUID execution, long fence) {
        return new Id(Kind.EXECUTION, execution) + "?fence=" + fence + "&boot=" + boot;
    }

    private HttpRequest.Builder get(String path) {
        return request(path).GET();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(api.resolve(path)).timeout(ANSWER);
    }

    private JsonNode json(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<byte[]> answer =
                client.send(request.build(), BodyHandlers.limiting(BodyHandlers.ofByteArray(), JSON_BYTES_MAX));
        try {
            return JSON.readTree(expect(answer, 200).body());
        } catch (JacksonException e) {
            throw new IOException(answer.uri().getPath() + " did not answer with JSON", e);
        }
    }

    private static HttpResponse<byte[]> expect(HttpResponse<byte[]> answer, int status) throws IOException {
        if (answer.statusCode() == status) {
            return answer;
        }
        throw new CallRefusedException(answer.uri().getPath(), answer.statusCode());
    }

    /// The API answered, and the answer was no.
    static final class CallRefusedException extends IOException {
        private static final long serialVersionUID = 1;
        private final int status;

        CallRefusedException(String path, int status) {
            super(path + " answered " + status);
            this.status = status;
        }

        /// Whether asking again may help.
        boolean temporary() {
            return status >= 500 || status == 429;
        }
    }
}
