package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.RouteTable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Every route about one task or execution, with every role, for the caller's own, a stranger's of his namespace, and
/// one of another namespace: the answer is what docs/reference/rest.md says of the role.
class RouteOwnerTest {
    private static final String TASK =
            "{\"name\":\"whose\",\"handler\":\"demo.echo\",\"schedule\":{\"type\":\"one_time\",\"delay\":\"PT5H\"},\"payload\":1}";
    private static final Set<Act> ALL = EnumSet.allOf(Act.class);

    /// What each route does to the task. A route that is not listed here fails the test.
    private static final Map<String, Act> ACTS = Map.ofEntries(
            Map.entry("getTask", Act.READ),
            Map.entry("forecastTask", Act.READ),
            Map.entry("updateTask", Act.CHANGE),
            Map.entry("deleteTask", Act.CHANGE),
            Map.entry("pauseTask", Act.CONTROL),
            Map.entry("resumeTask", Act.CONTROL),
            Map.entry("triggerTask", Act.RUN),
            Map.entry("getExecution", Act.READ),
            Map.entry("explainExecution", Act.READ),
            Map.entry("getExecutionLogs", Act.LOGS),
            Map.entry("cancelExecution", Act.CONTROL),
            Map.entry("retryExecution", Act.RUN));

    private final Api api = Api.shared();
    private final List<Route> routes = api.context().getBean(RouteTable.class).routes().stream()
            .filter(route -> route.template().startsWith("/api/v1/tasks/{id}")
                    || route.template().startsWith("/api/v1/executions/{id}"))
            .toList();

    private enum Act {
        READ,
        CHANGE,
        CONTROL,
        RUN,
        LOGS
    }

    private enum Whose {
        OWN,
        STRANGERS,
        OTHER_NAMESPACE
    }

    @TestFactory
    Collection<DynamicTest> every_role_does_to_every_task_what_it_may_and_no_more() {
        var tests = new ArrayList<DynamicTest>();
        Api.Http stranger = api.unhurried(api.user("scheduler"));
        Api.Http foreigner = api.unhurried(foreigner());
        Map<Role, Api.Http> callers = new EnumMap<>(Role.class);
        for (Role role : Role.values()) {
            Api.Http owner = api.user("scheduler");
            List<String> own = routes.stream().map(_ -> task(owner)).toList();
            callers.put(role, as(role, owner));
            for (Whose whose : Whose.values()) {
                for (int i = 0; i < routes.size(); i++) {
                    Route route = routes.get(i);
                    String task = switch (whose) {
                        case OWN -> own.get(i);
                        case STRANGERS -> task(stranger);
                        case OTHER_NAMESPACE -> task(foreigner);
                    };
                    String expected = expected(route, role, whose);
                    tests.add(DynamicTest.dynamicTest(
                            route.operation().id() + " as " + role.label() + " of " + whose + ": " + expected,
                            () -> check(call(callers.get(role), route, task), expected)));
                }
            }
        }
        assertThat(tests).hasSize(routes.size() * Role.values().length * Whose.values().length);
        return tests;
    }

    private static String expected(Route route, Role role, Whose whose) {
        Act act = ACTS.get(route.operation().id());
        assertThat(act)
                .as("say in ACTS what " + route.operation().id() + " does")
                .isNotNull();
        if (!((Access.Bearer) route.access()).roles().contains(role)) {
            return "role_missing";
        }
        Set<Act> may = may(role, whose);
        return may.contains(act) ? "let in" : may.isEmpty() ? "not_found" : "permission_denied";
    }

    /// The roles of docs/reference/rest.md, in other words than the policy's. Nothing at all means that the task is
    /// hidden.
    private static Set<Act> may(Role role, Whose whose) {
        boolean near = whose != Whose.OTHER_NAMESPACE;
        boolean own = whose == Whose.OWN;
        return switch (role) {
            case ADMIN -> ALL;
            case SCHEDULER -> own ? ALL : Set.of();
            case OPERATOR -> near ? EnumSet.complementOf(EnumSet.of(Act.CHANGE)) : Set.of();
            case EXECUTOR -> near ? EnumSet.of(Act.READ, Act.RUN) : Set.of();
            case VIEWER -> near ? EnumSet.of(Act.READ) : Set.of();
            case AUDITOR, PRIVACY_OFFICER -> Set.of();
        };
    }

    private static void check(Api.Reply reply, String expected) {
        if (expected.equals("let in")) {
            assertThat(reply.status()).as(reply.text()).isNotIn(401, 403, 404, 405, 500, 503);
        } else {
            assertThat(reply.code()).as(reply.text()).isEqualTo(expected);
        }
    }

    private static Api.Reply call(Api.Http person, Route route, String task) {
        String id = route.template().startsWith("/api/v1/executions/") ? task.replace("tsk_", "exe_") : task;
        boolean body = route.operation().body() != null;
        return person.call(route.method(), route.template().replace("{id}", id), body ? "{}" : null, "If-Match", "*");
    }

    /// Somebody who made tasks as a scheduler, in a role of now.
    private Api.Http as(Role role, Api.Http owner) {
        String id = owner.get("/api/v1/me").expect(200).path("id").asString();
        api.admin()
                .call("PATCH", "/api/v1/users/" + id, "{\"role\":\"" + role.label() + "\"}")
                .expect(200);
        String name = api.admin()
                .get("/api/v1/users/" + id)
                .expect(200)
                .path("username")
                .asString();
        return api.login(name, Api.ADMIN_PASSWORD);
    }

    private Api.Http foreigner() {
        api.admin().post("/api/v1/namespaces", "{\"name\":\"far-away\"}").expect(201);
        api.admin()
                .post(
                        "/api/v1/users",
                        "{\"username\":\"foreigner\",\"password\":\"%s\",\"role\":\"scheduler\",\"namespace\":\"far-away\"}"
                                .formatted(Api.ADMIN_PASSWORD))
                .expect(201);
        return api.login("foreigner", Api.ADMIN_PASSWORD);
    }

    private static String task(Api.Http owner) {
        return owner.post("/api/v1/tasks", TASK).expect(201).path("id").asString();
    }
}
