package dev.vigil.api.vault;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Cursors;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The registry of operations.
final class HandlerRoutes implements Routes {
    private static final String TAG = "Handlers";
    private static final String LIST = "handlers";
    private static final Cursors.View<Handlers.Listed> PAGE = new Cursors.View<>(
            listed -> new UUID(0, listed.number()),
            listed -> View.of(listed.entry().orElseThrow()),
            listed -> listed.entry().isPresent());

    private final Handlers handlers;
    private final InputSchemas schemas;
    private final Cursors cursors;

    HandlerRoutes(Handlers handlers, InputSchemas schemas, Cursors cursors) {
        this.handlers = handlers;
        this.schemas = schemas;
        this.cursors = cursors;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.post("/api/v1/handlers", "proposeHandler")
                        .about(TAG, "Propose a handler; another admin approves it")
                        .roles()
                        .scope(Scope.WORKERS_MANAGE)
                        .body("NewHandler")
                        .answers(201, "Handler")
                        .creates()
                        .dryRun()
                        .handler(this::propose),
                Route.post("/api/v1/handlers/{name}:approve", "approveHandler")
                        .about(TAG, "Approve what another admin proposed")
                        .roles()
                        .scope(Scope.WORKERS_MANAGE)
                        .answers(200, "Handler")
                        .dryRun()
                        .handler(this::approve),
                Route.get("/api/v1/handlers", "listHandlers")
                        .about(TAG, "List handlers, newest first")
                        .query("limit", "after", "sort")
                        .roles(Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR)
                        .scope(Scope.TASKS_READ)
                        .answers(200, "HandlerPage")
                        .handler(this::list),
                Route.get("/api/v1/handlers/{name}", "getHandler")
                        .about(TAG, "Get a handler")
                        .roles(Role.SCHEDULER, Role.OPERATOR, Role.EXECUTOR)
                        .scope(Scope.TASKS_READ)
                        .answers(200, "Handler")
                        .handler(this::get));
    }

    /// A handler as the registry shows it: what is in force, else what is proposed.
    ///
    /// @param state            `approved` or `pending`
    /// @param changeProposed   whether another definition waits for approval beside the one in force
    record View(
            String name,
            String state,
            String isolation,
            @Nullable Object inputSchema,
            List<String> network,
            @Nullable String timeoutMax,
            List<String> secretsAllowed,
            List<String> workerGroups,
            boolean changeProposed,
            @Nullable String proposedBy,
            @Nullable String approvedBy,
            @Nullable Instant approvedAt) {
        static View of(Handlers.Entry entry) {
            Handler shown = entry.approved() != null ? entry.approved() : entry.proposed();
            if (shown == null) {
                throw new IllegalStateException("handler " + entry.name() + " is neither approved nor proposed");
            }
            return new View(
                    entry.name(),
                    entry.approved() != null ? "approved" : "pending",
                    shown.isolation().label(),
                    shown.inputSchema() == null ? null : Rows.json(shown.inputSchema()),
                    shown.network(),
                    shown.timeoutMax() == null ? null : shown.timeoutMax().toString(),
                    shown.secretsAllowed(),
                    shown.workerGroups(),
                    entry.approved() != null && entry.proposed() != null,
                    user(entry.proposedBy()),
                    user(entry.approvedBy()),
                    entry.approvedAt());
        }

        private static @Nullable String user(@Nullable UUID id) {
            return id == null ? null : new Id(Kind.USER, id).toString();
        }
    }

    private Answer propose(Call call) throws IOException {
        Fields fields = call.json(Call.BODY_BYTES_MAX, "input_schema");
        String name = Names.handler(fields);
        Handler.Isolation isolation =
                fields.oneOf("isolation", Handler.Isolation.class).orElse(Handler.Isolation.POOLED);
        String schema = fields.raw()
                .map(text -> new String(text, java.nio.charset.StandardCharsets.UTF_8))
                .orElse(null);
        if (schema != null) {
            schemas.refusal(schema)
                    .ifPresent(reason -> fields.refuse(
                            "input_schema",
                            "json_schema",
                            reason,
                            "use JSON Schema, draft 2020-12, that stands by itself"));
        }
        List<String> network = network(fields);
        Duration timeoutMax = fields.duration("timeout_max").orElse(null);
        if (timeoutMax != null
                && (timeoutMax.compareTo(Duration.ofSeconds(1)) < 0
                        || timeoutMax.compareTo(Duration.ofHours(24)) > 0)) {
            fields.refuse("timeout_max", "range", "is outside the range", "use PT1S to PT24H");
        }
        List<String> secrets = Names.secrets(fields);
        List<String> groups = Names.groups(fields);
        fields.finish();
        var handler = new Handler(name, isolation, schema, network, timeoutMax, secrets, groups);
        Handlers.Entry entry = handlers.propose(handler, call.caller().id());
        return Answer.json(201, View.of(entry)).header("Location", "/api/v1/handlers/" + name);
    }

    /// The text `none`, or a list of hosts.
    private static List<String> network(Fields fields) {
        if (fields.isText("network", "none")) {
            return List.of();
        }
        List<String> hosts = fields.texts("network", 64).orElse(List.of());
        if (!hosts.stream().allMatch(Hosts::isValid)) {
            fields.refuse("network", "format", "has an item that is no host name or address", "use none, or hosts");
        }
        return hosts;
    }

    private Answer approve(Call call) {
        return switch (handlers.approve(call.variable("name"), call.caller().id())) {
            case Handlers.Approval.Approved(Handlers.Entry entry) -> Answer.json(200, View.of(entry));
            case Handlers.Approval.OwnProposal _ ->
                throw new ProblemException(
                        Code.PERMISSION_DENIED, "You proposed this handler; another admin must approve it.");
            case Handlers.Approval.NothingProposed _ ->
                throw new ProblemException(
                        Code.CONFLICT, "The handler is approved already; there is nothing to approve.");
            case Handlers.Approval.Unknown _ -> throw new ProblemException(Problem.notFound());
        };
    }

    private Answer list(Call call) {
        int limit = Cursors.limit(call);
        UUID after = cursors.afterNewest(call, LIST);
        List<Handlers.Listed> rows =
                handlers.page(after == null ? Long.MAX_VALUE : after.getLeastSignificantBits(), limit + 1);
        return Answer.json(200, cursors.page(rows, limit, LIST, PAGE));
    }

    private Answer get(Call call) {
        return handlers.entry(call.variable("name"))
                .map(entry -> Answer.json(200, View.of(entry)))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
    }
}
