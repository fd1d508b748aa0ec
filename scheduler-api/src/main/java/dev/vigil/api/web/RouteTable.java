package dev.vigil.api.web;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Every route there is. What is not in it does not exist.
public final class RouteTable {
    private final List<Route> routes;
    private final Map<String, List<Route>> byPath = new LinkedHashMap<>();

    public RouteTable(List<Route> routes) {
        this.routes = List.copyOf(routes);
        var seen = new HashSet<String>();
        var ids = new HashSet<String>();
        for (Route route : this.routes) {
            if (!seen.add(route.method() + " " + route.path().text())) {
                throw new IllegalStateException(
                        route.method() + " " + route.path().text() + " is listed twice");
            }
            if (!ids.add(route.operation().id())) {
                throw new IllegalStateException(
                        "operation id " + route.operation().id() + " is used twice");
            }
            byPath.computeIfAbsent(route.path().text(), path -> new ArrayList<>())
                    .add(route);
        }
    }

    /// All of them, in the order of their features.
    public List<Route> routes() {
        return routes;
    }

    /// What lies at a path.
    Match find(String method, String path) {
        List<String> segments = PathTemplate.segments(path);
        // A client that asks for the head of a resource gets the route of its GET.
        String wanted = method.equals("HEAD") ? "GET" : method;
        Set<String> allowed = new TreeSet<>();
        boolean anybody = false;
        Match.Found template = null;
        for (var entry : byPath.values()) {
            Map<String, String> variables = entry.getFirst().path().match(segments);
            if (variables == null) {
                continue;
            }
            for (Route route : entry) {
                allowed.add(route.method());
                anybody |= route.access() instanceof Access.Open;
                if (!route.method().equals(wanted)) {
                    continue;
                }
                if (variables.isEmpty()) {
                    return new Match.Found(route, variables);
                }
                // The first listed wins among templates; literals win over all of them.
                template = template == null ? new Match.Found(route, variables) : template;
            }
        }
        if (template != null) {
            return template;
        }
        return allowed.isEmpty() ? new Match.Nothing() : new Match.WrongMethod(String.join(", ", allowed), anybody);
    }

    /// What was found.
    sealed interface Match {
        /// A route and the values of its variables.
        record Found(Route route, Map<String, String> variables) implements Match {}

        /// The path exists, with other methods.
        ///
        /// @param allowed for the header `Allow`
        /// @param open    strangers may know that
        record WrongMethod(String allowed, boolean open) implements Match {}

        /// Nothing lies there.
        record Nothing() implements Match {}
    }
}
