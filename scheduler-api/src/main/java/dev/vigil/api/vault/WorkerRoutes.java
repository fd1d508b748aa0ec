package dev.vigil.api.vault;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Cidr;
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
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Workers as operators see them, and the invitations by which they come.
final class WorkerRoutes implements Routes {
    private static final String TOKEN_LIST = "join-tokens";
    private static final String LIST = "workers";
    private static final String TAG = "Workers";

    private final JoinTokens tokens;
    private final Fleet fleet;
    private final Cursors cursors;
    private final Invitation invitation;

    WorkerRoutes(JoinTokens tokens, Fleet fleet, Cursors cursors, Invitation invitation) {
        this.tokens = tokens;
        this.fleet = fleet;
        this.cursors = cursors;
        this.invitation = invitation;
    }

    /// What a join command names beside the token.
    ///
    /// @param caPin     pin of the CA
    /// @param workerUrl address of the worker port
    record Invitation(String caPin, java.util.function.Supplier<String> workerUrl) {}

    @Override
    public List<Route> all() {
        return List.of(
                manage(Route.post("/api/v1/workers/join-tokens", "createJoinToken"))
                        .about(TAG, "Create a join token; it is shown once")
                        .body("NewJoinToken")
                        .answers(201, "JoinToken")
                        .creates()
                        .dryRun()
                        .handler(this::createToken),
                manage(Route.get("/api/v1/workers/join-tokens", "listJoinTokens"))
                        .about(TAG, "List join tokens, newest first")
                        .query("limit", "after", "sort")
                        .answers(200, "JoinTokenPage")
                        .handler(this::listTokens),
                manage(Route.delete("/api/v1/workers/join-tokens/{id}", "revokeJoinToken"))
                        .about(TAG, "Revoke a join token")
                        .answers(204, "")
                        .dryRun()
                        .handler(this::revokeToken),
                operate(Route.get("/api/v1/workers", "listWorkers"))
                        .about(TAG, "List workers, newest first")
                        .query("limit", "after", "sort")
                        .answers(200, "WorkerPage")
                        .handler(this::list),
                operate(Route.get("/api/v1/workers/{id}", "getWorker"))
                        .about(TAG, "Get a worker")
                        .answers(200, "Worker")
                        .handler(call ->
                                Answer.json(200, found(fleet.get(worker(call)).orElse(null)))),
                change("drain", "Give a worker nothing new", Fleet.Change.DRAIN, Role.OPERATOR),
                change("resume", "Use a drained worker again", Fleet.Change.RESUME, Role.OPERATOR),
                change("block", "Cut a worker off; in force within 2 s", Fleet.Change.BLOCK),
                change("unblock", "Let a blocked worker in again", Fleet.Change.UNBLOCK),
                manage(Route.delete("/api/v1/workers/{id}", "removeWorker"))
                        .about(TAG, "Remove a worker for good")
                        .answers(204, "")
                        .dryRun()
                        .handler(this::remove));
    }

    private static Route.Draft manage(Route.Draft route) {
        return route.roles().scope(Scope.WORKERS_MANAGE);
    }

    private static Route.Draft operate(Route.Draft route) {
        return route.roles(Role.OPERATOR).scope(Scope.WORKERS_MANAGE);
    }

    private Route change(String verb, String summary, Fleet.Change change, Role... roles) {
        return Route.post("/api/v1/workers/{id}:" + verb, verb + "Worker")
                .about(TAG, summary)
                .roles(roles)
                .scope(Scope.WORKERS_MANAGE)
                .answers(200, "Worker")
                .dryRun()
                .handler(call -> change(call, change));
    }

    /// A token as its creator sees it, once.
    record TokenView(String id, String token, String joinCommand, String caPin, java.time.Instant expiresAt) {
        @Override
        public String toString() {
            return "TokenView[" + id + "]";
        }
    }

    private Answer createToken(Call call) throws IOException {
        Fields fields = call.json();
        String group = Names.group(fields);
        Map<String, String> labels = fields.textMap("labels", 32);
        Duration life = fields.duration("ttl").orElse(JoinTokens.LIFE);
        if (life.compareTo(Duration.ofSeconds(1)) < 0 || life.compareTo(JoinTokens.LIFE_MAX) > 0) {
            fields.refuse("ttl", "range", "is outside the range", "use PT1S to " + JoinTokens.LIFE_MAX);
        }
        int uses = fields.integer("uses", 1, 1000).orElse(1);
        String cidr = fields.optionalText("cidr", 64).orElse(null);
        if (cidr != null && Cidr.parse(cidr).isEmpty()) {
            fields.refuse("cidr", "format", "is no range of addresses", "write it like 10.0.0.0/8");
        }
        List<String> hosts = hosts(fields, group);
        fields.finish();
        var grant = new JoinTokens.Grant(group, new TreeMap<>(labels), hosts, cidr);
        JoinTokens.Minted minted = tokens.mint(grant, uses, life, call.caller().id());
        String command = "vigil worker join --url " + invitation.workerUrl().get() + " --token " + minted.token()
                + " --ca-pin " + invitation.caPin();
        String id = new Id(Kind.JOIN_TOKEN, minted.id()).toString();
        return Answer.json(201, new TokenView(id, minted.token(), command, invitation.caPin(), minted.expiresAt()));
    }

    private static List<String> hosts(Fields fields, String group) {
        List<String> hosts = fields.texts("hosts", 16).orElse(List.of());
        if (!WorkerRow.isService(group)) {
            if (!hosts.isEmpty()) {
                fields.refuse("hosts", "not_here", "is for services; a worker only dials out", "leave it out");
            }
            return List.of();
        }
        if (!hosts.stream().allMatch(Hosts::isValid)) {
            fields.refuse("hosts", "format", "has an item that is no host name or address", null);
        }
        return hosts.isEmpty() ? List.of("localhost", "127.0.0.1") : hosts;
    }

    private Answer listTokens(Call call) {
        int limit = Cursors.limit(call);
        UUID after = cursors.afterNewest(call, TOKEN_LIST);
        List<JoinTokens.Listed> page = tokens.page(after == null ? Workers.NEWEST : after, limit + 1);
        return Answer.json(
                200,
                cursors.page(page, limit, TOKEN_LIST, new Cursors.View<>(JoinTokens.Listed::uuid, token -> token)));
    }

    private Answer revokeToken(Call call) {
        if (!tokens.revoke(call.id("id", Kind.JOIN_TOKEN), call.caller().id())) {
            throw new ProblemException(Problem.notFound());
        }
        return Answer.empty(204);
    }

    private Answer list(Call call) {
        int limit = Cursors.limit(call);
        UUID after = cursors.afterNewest(call, LIST);
        List<Fleet.Member> members = fleet.list(after == null ? Workers.NEWEST : after, limit + 1);
        return Answer.json(
                200, cursors.page(members, limit, LIST, new Cursors.View<>(Fleet.Member::uuid, Fleet.Member::view)));
    }

    private Answer change(Call call, Fleet.Change change) {
        return switch (fleet.change(worker(call), change, call.caller().id())) {
            case Fleet.Changed.Done(Fleet.Member member) -> Answer.json(200, member.view());
            case Fleet.Changed.Absent _ -> throw new ProblemException(Problem.notFound());
            case Fleet.Changed.Blocked _ ->
                throw new ProblemException(
                        Code.CONFLICT, "The worker is blocked; unblock it before it is drained or resumed.");
        };
    }

    private Answer remove(Call call) {
        return switch (fleet.change(
                worker(call), Fleet.Change.REMOVE, call.caller().id())) {
            case Fleet.Changed.Absent _ -> throw new ProblemException(Problem.notFound());
            case Fleet.Changed.Done _, Fleet.Changed.Blocked _ -> Answer.empty(204);
        };
    }

    private static Fleet.View found(Fleet.@Nullable Member member) {
        if (member == null) {
            throw new ProblemException(Problem.notFound());
        }
        return member.view();
    }

    private static UUID worker(Call call) {
        return call.id("id", Kind.WORKER);
    }
}
