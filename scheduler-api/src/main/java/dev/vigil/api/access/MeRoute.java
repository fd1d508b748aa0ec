package dev.vigil.api.access;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The first call of every client: who am I, what may I do, how much is left.
final class MeRoute implements Routes {
    private final Usage usage;

    MeRoute(Usage usage) {
        this.usage = usage;
    }

    @Override
    public List<Route> all() {
        return List.of(
                Route.get("/api/v1/me", "getMe")
                        .about("Identity", "Who the token belongs to, his limits and what he uses of them")
                        .roles(Role.values())
                        .answers(200, "Me")
                        .handler(this::me),
                userInfo(Route.get("/userinfo", "getUserInfo")),
                userInfo(Route.post("/userinfo", "postUserInfo")));
    }

    private static Route userInfo(Route.Draft route) {
        return route.about("OAuth2", "Who the token belongs to, as OpenID Connect has it")
                .roles(Role.values())
                .answers(200, "UserInfo")
                .handler(MeRoute::userInfo);
    }

    private static Answer userInfo(Call call) {
        Caller caller = call.caller();
        return Answer.json(
                200,
                Map.of(
                        "sub", new Id(Kind.USER, caller.id()).toString(),
                        "preferred_username", caller.username(),
                        "role", caller.role().label(),
                        "namespace", caller.namespaceName()));
    }

    private Answer me(Call call) {
        Caller caller = call.caller();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", new Id(Kind.USER, caller.id()).toString());
        body.put("username", caller.username());
        body.put("role", caller.role().label());
        body.put("namespace", caller.namespaceName());
        body.put("scopes", caller.scopes().stream().map(Scope::label).sorted().toList());
        body.put("permissions", permissions(caller.permissions()));
        body.put("usage", usage.of(caller));
        Map<String, Object> limits = new LinkedHashMap<>();
        limits.put("max_tasks", caller.permissions().maxTasks());
        limits.put("max_concurrent_executions", caller.permissions().maxConcurrentExecutions());
        limits.put("requests_per_minute", caller.requestsPerMinute());
        body.put("limits", limits);
        return Answer.json(200, body);
    }

    /// Permissions as they are written in requests: what is absent allows all.
    static Map<String, Object> permissions(Caller.Permissions permissions) {
        Map<String, Object> view = new LinkedHashMap<>();
        putIfGiven(view, "allowed_task_types", permissions.allowedTaskTypes());
        putIfGiven(view, "allowed_priorities", permissions.allowedPriorities());
        putIfGiven(view, "allowed_handlers", permissions.allowedHandlers());
        putIfGiven(view, "max_tasks", permissions.maxTasks());
        putIfGiven(view, "max_concurrent_executions", permissions.maxConcurrentExecutions());
        return view;
    }

    private static void putIfGiven(Map<String, Object> view, String name, @Nullable Object value) {
        if (value != null) {
            view.put(name, value);
        }
    }
}
