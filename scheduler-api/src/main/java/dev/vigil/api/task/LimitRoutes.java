package dev.vigil.api.task;

import dev.vigil.api.access.Namespaces;
import dev.vigil.api.vault.Handlers;
import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.IfMatch;
import dev.vigil.api.web.Outbox;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.scheduler.execution.Executions;
import dev.vigil.scheduler.task.SharedLimits;
import dev.vigil.scheduler.task.SharedLimits.Rate;
import dev.vigil.scheduler.task.SharedLimits.Setting;
import dev.vigil.scheduler.task.SharedLimits.Stored;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.support.TransactionTemplate;

/// What namespaces and handlers are limited to, for admins.
final class LimitRoutes implements Routes {
    private static final int CONCURRENT_MAX = 1_000_000;
    private static final int STARTS_MAX = 1_000_000;
    private static final String THING = "What it is limited to";

    private final Engine engine;
    private final Registry registry;

    LimitRoutes(Engine engine, Registry registry) {
        this.engine = engine;
        this.registry = registry;
    }

    /// What limits are kept by.
    record Engine(SharedLimits limits, Executions executions, TransactionTemplate transaction) {}

    /// What can be limited, and who hears of it.
    record Registry(Namespaces namespaces, Handlers handlers, Outbox outbox, InstantSource time) {}

    /// Finds what a call names.
    private interface Finder {
        /// What is to be limited.
        ///
        /// @throws ProblemException 404 when there is none
        SharedLimits.Scope find(Call call);
    }

    @Override
    public List<Route> all() {
        String namespace = "/api/v1/namespaces/{name}/limits";
        String handler = "/api/v1/handlers/{name}/limits";
        return List.of(
                Route.get(namespace, "getNamespaceLimits")
                        .about("Users", "What a namespace is limited to, and how that stands")
                        .roles()
                        .scope(Scope.USERS_MANAGE)
                        .answers(200, "Limits")
                        .handler(call -> get(namespace(call))),
                Route.patch(namespace, "limitNamespace")
                        .about(
                                "Users",
                                "Limit what runs and starts of a namespace, and weigh its turns; null takes a limit away")
                        .roles()
                        .scope(Scope.USERS_MANAGE)
                        .body("LimitsPatch")
                        .answers(200, "Limits")
                        .dryRun()
                        .handler(call -> patch(call, this::namespace)),
                Route.get(handler, "getHandlerLimits")
                        .about("Handlers", "What a handler is limited to, and how that stands")
                        .roles()
                        .scope(Scope.WORKERS_MANAGE)
                        .answers(200, "Limits")
                        .handler(call -> get(handler(call))),
                Route.patch(handler, "limitHandler")
                        .about(
                                "Handlers",
                                "Limit what runs and starts of a handler in all namespaces; null takes a limit away")
                        .roles()
                        .scope(Scope.WORKERS_MANAGE)
                        .body("LimitsPatch")
                        .answers(200, "Limits")
                        .dryRun()
                        .handler(call -> patch(call, this::handler)));
    }

    private SharedLimits.Scope namespace(Call call) {
        return registry.namespaces
                .numberOf(call.variable("name"))
                .map(SharedLimits.Scope::ofNamespace)
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
    }

    private SharedLimits.Scope handler(Call call) {
        String name = call.variable("name");
        if (!registry.handlers.isRegistered(name)) {
            throw new ProblemException(Problem.notFound());
        }
        return SharedLimits.Scope.ofHandler(name);
    }

    private Answer get(SharedLimits.Scope scope) {
        return answer(scope, engine.limits.get(scope));
    }

    private Answer patch(Call call, Finder finder) throws IOException {
        SharedLimits.Scope scope = finder.find(call);
        Stored before = engine.limits.get(scope);
        IfMatch.require(call, before.revision(), THING);
        Fields patch = call.json();
        var _ = setting(scope, patch, before.setting());
        Long expected = IfMatch.isAny(call) ? null : before.revision();
        Stored after = Objects.requireNonNull(engine.transaction.execute(_ -> {
            Stored stored = engine.limits
                    .change(scope, expected, current -> setting(scope, patch, current))
                    .orElseThrow(() -> IfMatch.stale(THING));
            note(call, scope, stored.setting());
            return stored;
        }));
        return answer(scope, after);
    }

    private static Setting setting(SharedLimits.Scope scope, Fields patch, Setting current) {
        Fields fields = patch.over(members(scope, current));
        Integer maxConcurrent =
                fields.integer("max_concurrent", 0, CONCURRENT_MAX).orElse(null);
        Rate rate = fields.object("rate").map(LimitRoutes::rate).orElse(null);
        int weight = scope.handler() == null
                ? fields.integer("weight", 1, SharedLimits.WEIGHT_MAX).orElse(1)
                : 1;
        fields.finish();
        return new Setting(maxConcurrent, rate, weight);
    }

    private static Rate rate(Fields fields) {
        int starts = fields.integer("max_starts", 1, STARTS_MAX).orElseGet(() -> fields.missing("max_starts", 1));
        Duration per = fields.duration("per").orElseGet(() -> fields.missing("per", Rate.PER_MIN));
        if (per.compareTo(Rate.PER_MIN) < 0 || per.compareTo(Rate.PER_MAX) > 0) {
            fields.refuse("per", "range", "is outside the range", "use PT1S to PT24H");
            return new Rate(starts, Rate.PER_MIN);
        }
        return new Rate(starts, per);
    }

    private static Map<String, @Nullable Object> members(SharedLimits.Scope scope, Setting setting) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("max_concurrent", setting.maxConcurrent());
        Rate rate = setting.rate();
        members.put(
                "rate",
                rate == null
                        ? null
                        : Map.of(
                                "max_starts",
                                rate.maxStarts(),
                                "per",
                                rate.per().toString()));
        if (scope.handler() == null) {
            members.put("weight", setting.weight());
        }
        return members;
    }

    private Answer answer(SharedLimits.Scope scope, Stored stored) {
        Map<String, @Nullable Object> view = members(scope, stored.setting());
        Map<String, @Nullable Object> now = new LinkedHashMap<>();
        now.put("running", engine.executions.running(scope));
        Rate rate = stored.setting().rate();
        now.put("starts_left", rate == null ? null : Math.max(0, rate.maxStarts() - stored.started()));
        view.put("now", now);
        return Answer.json(200, view).header("ETag", IfMatch.etag(stored.revision()));
    }

    private void note(Call call, SharedLimits.Scope scope, Setting setting) {
        AuditEvent event = AuditEvent.of(
                        EventType.CONFIGURATION_CHANGED, "limits_changed", Result.SUCCESS, registry.time.instant())
                .user(call.caller().id())
                .with("ip_address", call.address())
                .with("request_id", call.requestId())
                .with("target", call.variable("name"))
                .with("target_kind", scope.handler() == null ? "namespace" : "handler");
        Integer most = setting.maxConcurrent();
        Rate rate = setting.rate();
        event.with("max_concurrent", most == null ? "none" : most.toString())
                .with("rate", rate == null ? "none" : rate.maxStarts() + " per " + rate.per())
                .with("weight", (long) setting.weight());
        registry.outbox.append(List.of(event));
    }
}
