package dev.vigil.api.vault;

import dev.vigil.api.vault.PayloadReferences.SecretNamed;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Cursors;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.scheduler.task.Tasks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Secrets: written, listed and deleted by admins; shown to nobody.
final class SecretRoutes implements Routes {
    private static final String TAG = "Secrets";
    private static final String LIST = "secrets";
    private static final int USES_SHOWN = 100;
    /// Every byte of a value may be written as an escape of six characters.
    private static final int BODY_BYTES_MAX = 6 * Secrets.VALUE_BYTES_MAX + 1024;

    private final Secrets secrets;
    private final Handlers handlers;
    private final Tasks tasks;
    private final Lists lists;

    /// What lists are read with.
    record Lists(ChosenNamespace namespaces, Cursors cursors) {}

    SecretRoutes(Secrets secrets, Handlers handlers, Tasks tasks, Lists lists) {
        this.secrets = secrets;
        this.handlers = handlers;
        this.tasks = tasks;
        this.lists = lists;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.put("/api/v1/secrets/{name}", "putSecret")
                        .about(TAG, "Store a secret's value as its newest version; it is never shown again")
                        .roles()
                        .scope(Scope.SECRETS_MANAGE)
                        .query(ChosenNamespace.PARAMETER)
                        .body("SecretValue")
                        .answers(200, "Secret")
                        .answers(201, "Secret")
                        .dryRun()
                        .bodyMax(BODY_BYTES_MAX)
                        .handler(this::put),
                Route.post("/api/v1/secrets/{name}:rotate", "rotateSecret")
                        .about(TAG, "Give a secret a new value; without one, 32 random bytes in base64url")
                        .roles()
                        .scope(Scope.SECRETS_MANAGE)
                        .query(ChosenNamespace.PARAMETER)
                        .body("SecretRotation")
                        .answers(200, "Secret")
                        .dryRun()
                        .bodyMax(BODY_BYTES_MAX)
                        .handler(this::rotate),
                Route.get("/api/v1/secrets", "listSecrets")
                        .about(TAG, "List the secrets of your namespace, newest first")
                        .roles()
                        .scope(Scope.SECRETS_MANAGE)
                        .query("limit", "after", "sort", ChosenNamespace.PARAMETER)
                        .answers(200, "SecretPage")
                        .handler(this::list),
                Route.get("/api/v1/secrets/{name}", "getSecret")
                        .about(TAG, "What is known of a secret, and which tasks and handlers use it")
                        .roles()
                        .scope(Scope.SECRETS_MANAGE)
                        .query(ChosenNamespace.PARAMETER)
                        .answers(200, "Secret")
                        .handler(this::get),
                Route.delete("/api/v1/secrets/{name}", "deleteSecret")
                        .about(TAG, "Delete a secret; executions that need it fail from then on")
                        .roles()
                        .scope(Scope.SECRETS_MANAGE)
                        .query(ChosenNamespace.PARAMETER)
                        .answers(204, "")
                        .dryRun()
                        .handler(this::delete));
    }

    /// A secret without its value.
    ///
    /// @param usage who names it; only where one is asked for
    record View(
            String id,
            String name,
            int version,
            String provider,
            String createdBy,
            Instant createdAt,
            String changedBy,
            Instant changedAt,
            @Nullable Usage usage) {
        static View of(Secrets.Secret secret, @Nullable Usage usage) {
            return new View(
                    new Id(Kind.SECRET, secret.id()).toString(),
                    secret.name(),
                    secret.version(),
                    "built_in",
                    user(secret.createdBy()),
                    secret.createdAt(),
                    user(secret.changedBy()),
                    secret.changedAt(),
                    usage);
        }

        private static String user(UUID id) {
            return new Id(Kind.USER, id).toString();
        }
    }

    /// @param tasks    ids of tasks whose payload names it, the newest 100
    /// @param handlers approved handlers that may read it
    record Usage(List<String> tasks, List<String> handlers) {}

    private Answer put(Call call) throws IOException {
        String name = call.variable("name");
        Fields fields = call.json(BODY_BYTES_MAX, "");
        byte[] value = value(fields, fields.text("value", Secrets.VALUE_BYTES_MAX));
        if (!Secrets.isName(name)) {
            fields.refuse(
                    "name",
                    "format",
                    "in the path is no name for a secret",
                    "use letters, digits, dots, - and _, at most 100, no dot in front");
        }
        fields.finish();
        Secrets.Secret stored = write(call, value, "put_secret");
        return stored.version() == 1
                ? Answer.json(201, View.of(stored, null)).header("Location", "/api/v1/secrets/" + name)
                : Answer.json(200, View.of(stored, null));
    }

    private Answer rotate(Call call) throws IOException {
        Fields fields = call.json(BODY_BYTES_MAX, "");
        byte[] value = fields.optionalText("value", Secrets.VALUE_BYTES_MAX)
                .map(text -> value(fields, text))
                .orElseGet(() -> Base64.getUrlEncoder().withoutPadding().encode(SealedBytes.newKey()));
        fields.finish();
        find(call);
        return Answer.json(200, View.of(write(call, value, "rotate_secret"), null));
    }

    private static byte[] value(Fields fields, String text) {
        byte[] value = text.getBytes(StandardCharsets.UTF_8);
        if (value.length > Secrets.VALUE_BYTES_MAX) {
            fields.refuse(
                    "value", "length", "has " + value.length + " bytes; use at most " + Secrets.VALUE_BYTES_MAX, null);
        }
        return value;
    }

    private Secrets.Secret write(Call call, byte[] value, String action) {
        try {
            return secrets.put(
                    lists.namespaces.of(call),
                    call.variable("name"),
                    value,
                    new Secrets.Writing(call.caller().id(), action));
        } finally {
            Arrays.fill(value, (byte) 0);
        }
    }

    private Answer list(Call call) {
        int namespace = lists.namespaces.of(call);
        String list = LIST + "/" + namespace;
        UUID after = lists.cursors.afterNewest(call, list);
        int limit = Cursors.limit(call);
        List<Secrets.Secret> rows = secrets.list(namespace, after == null ? Workers.NEWEST : after, limit + 1);
        Map<String, Object> page = lists.cursors.page(
                rows, limit, list, new Cursors.View<>(Secrets.Secret::id, each -> View.of(each, null)));
        return Answer.json(200, page);
    }

    private Answer get(Call call) {
        Secrets.Secret secret = find(call);
        List<String> users =
                tasks.referring(secret.namespace(), new SecretNamed(secret.name()).stored(), USES_SHOWN).stream()
                        .map(id -> new Id(Kind.TASK, id).toString())
                        .toList();
        return Answer.json(200, View.of(secret, new Usage(users, handlers.readers(secret.name()))));
    }

    private Answer delete(Call call) {
        if (!secrets.delete(
                lists.namespaces.of(call), call.variable("name"), call.caller().id())) {
            throw new ProblemException(Problem.notFound());
        }
        return Answer.empty(204);
    }

    private Secrets.Secret find(Call call) {
        return secrets.find(lists.namespaces.of(call), call.variable("name"))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
    }
}
