package dev.vigil.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.RouteTable;
import dev.vigil.api.web.Scope;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Every route of the table with every role, and with no or a bad token: the answer is what the table says.
class RouteRoleTest {
    private final Api api = Api.shared();
    private final List<Route> routes = api.context().getBean(RouteTable.class).routes();

    @TestFactory
    Collection<DynamicTest> every_route_and_role_is_answered_as_the_table_says() {
        var tests = new ArrayList<DynamicTest>();
        Map<Role, Api.Http> people = new EnumMap<>(Role.class);
        for (Role role : Role.values()) {
            people.put(role, role == Role.ADMIN ? api.admin() : api.unhurried(api.user(role.label())));
        }
        for (Route route : routes) {
            if (!(route.access() instanceof Access.Bearer bearer)) {
                continue;
            }
            String call = route.method() + " " + route.template();
            tests.add(DynamicTest.dynamicTest(call + " without a token is 401", () -> {
                assertThat(call(api.anonymous(), route).status()).isEqualTo(401);
                assertThat(call(api.bearer("nonsense"), route).code()).isEqualTo("invalid_token");
            }));
            people.forEach((role, person) -> {
                String expected = expected(bearer, role, person);
                tests.add(DynamicTest.dynamicTest(call + " as " + role.label() + ": " + expected, () -> {
                    Api.Reply reply = call(person, route);

                    if (expected.equals("let in")) {
                        assertThat(reply.status()).as(reply.text()).isNotIn(401, 405, 500, 503);
                        assertThat(reply.text()).doesNotContain("role_missing", "scope_missing");
                    } else {
                        assertThat(reply.status()).isEqualTo(403);
                        assertThat(reply.code()).isEqualTo(expected);
                    }
                }));
            });
        }
        assertThat(tests).hasSizeGreaterThan(500);
        return tests;
    }

    /// Each route that names a scope, with each role that may call it, by a key that has every scope but this one.
    @TestFactory
    Collection<DynamicTest> every_route_refuses_whoever_was_not_given_its_scope() {
        var tests = new ArrayList<DynamicTest>();
        for (Role role : Role.values()) {
            Api.Http person = api.unhurried(api.user(role.label()));
            Map<Scope, Api.Http> without = new EnumMap<>(Scope.class);
            for (Route route : routes) {
                if (!(route.access() instanceof Access.Bearer bearer)
                        || !bearer.roles().contains(role)
                        || bearer.scope() == null
                        || !person.scopes().contains(bearer.scope().label())) {
                    continue;
                }
                Api.Http key = without.computeIfAbsent(bearer.scope(), scope -> keyWithout(person, scope));
                String call = route.method() + " " + route.template();
                tests.add(DynamicTest.dynamicTest(
                        call + " as " + role.label() + " without "
                                + bearer.scope().label() + ": scope_missing",
                        () -> assertThat(call(key, route).code()).isEqualTo("scope_missing")));
            }
        }
        assertThat(tests).hasSizeGreaterThan(100);
        return tests;
    }

    private Api.Http keyWithout(Api.Http person, Scope scope) {
        String rest = person.scopes().stream()
                .filter(label -> !label.equals(scope.label()))
                .map(label -> '"' + label + '"')
                .collect(Collectors.joining(",", "[", "]"));
        return api.bearer(person.post("/api/v1/api-keys", "{\"name\":\"narrow\",\"scopes\":" + rest + "}")
                .expect(201)
                .path("key")
                .asString());
    }

    private static String expected(Access.Bearer access, Role role, Api.Http person) {
        if (!access.roles().contains(role)) {
            return "role_missing";
        }
        Scope scope = access.scope();
        return scope == null || person.scopes().contains(scope.label()) ? "let in" : "scope_missing";
    }

    /// The call with ids that exist nowhere, and a body that says nothing.
    private static Api.Reply call(Api.Http person, Route route) {
        String path = route.template();
        for (String variable : route.variables()) {
            Kind kind = switch (path.split("/")[3]) {
                case "tasks" -> Kind.TASK;
                case "api-keys" -> Kind.API_KEY;
                case "executions" -> Kind.EXECUTION;
                case "workers" -> path.contains("join-tokens") ? Kind.JOIN_TOKEN : Kind.WORKER;
                default -> Kind.USER;
            };
            path = path.replaceFirst("\\{" + variable + "\\*?}", Id.next(kind).toString());
        }
        boolean body = route.operation().body() != null;
        return person.call(route.method(), path, body ? "{}" : null);
    }
}
