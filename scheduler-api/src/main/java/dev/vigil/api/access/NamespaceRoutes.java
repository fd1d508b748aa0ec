package dev.vigil.api.access;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Cursors;
import dev.vigil.api.web.Fields;
import dev.vigil.api.web.Problem;
import dev.vigil.api.web.ProblemException;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Routes;
import dev.vigil.api.web.Scope;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Namespaces, for admins.
final class NamespaceRoutes implements Routes {
    private static final String PATH = "/api/v1/namespaces";

    private static final String LIST = "namespaces";

    private final Namespaces namespaces;
    private final Cursors cursors;

    NamespaceRoutes(Namespaces namespaces, Cursors cursors) {
        this.namespaces = namespaces;
        this.cursors = cursors;
    }

    @Override
    public List<Route> all() {
        return List.of(
                admin(Route.post(PATH, "createNamespace")
                                .about("Users", "Create a namespace; a sandbox is one where test keys run tasks"))
                        .body("NewNamespace")
                        .answers(201, "Namespace")
                        .creates()
                        .dryRun()
                        .handler(this::create),
                admin(Route.get(PATH, "listNamespaces").about("Users", "List namespaces, newest first"))
                        .query("limit", "after", "sort")
                        .answers(200, "NamespacePage")
                        .handler(this::list),
                admin(Route.get(PATH + "/{name}", "getNamespace").about("Users", "Get a namespace"))
                        .answers(200, "Namespace")
                        .handler(call -> Answer.json(
                                200,
                                view(namespaces
                                        .find(call.variable("name"))
                                        .orElseThrow(() -> new ProblemException(Problem.notFound()))))),
                admin(Route.delete(PATH + "/{name}", "deleteNamespace").about("Users", "Delete an empty namespace"))
                        .answers(204, "")
                        .dryRun()
                        .handler(this::delete));
    }

    private static Route.Draft admin(Route.Draft route) {
        return route.roles().scope(Scope.USERS_MANAGE);
    }

    private Answer create(Call call) throws IOException {
        Fields fields = call.json();
        String name = fields.text("name", 63);
        if (!name.matches("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?") && !name.isEmpty()) {
            fields.refuse("name", "format", "is not a namespace name", "use 1 to 63 of a-z, 0-9 and - inside");
        }
        boolean sandbox = fields.bool("sandbox").orElse(false);
        fields.finish();
        Namespace made = namespaces
                .create(name, sandbox, Users.Actor.of(call))
                .orElseThrow(() -> new ProblemException(Code.ALREADY_EXISTS, "The name is taken; choose another one."));
        return Answer.json(201, view(made)).header("Location", PATH + "/" + made.name);
    }

    private Answer list(Call call) {
        int limit = Cursors.limit(call);
        UUID after = cursors.afterNewest(call, LIST);
        List<Namespace> page =
                namespaces.page(after == null ? Integer.MAX_VALUE : (int) after.getLeastSignificantBits(), limit + 1);
        return Answer.json(
                200,
                cursors.page(
                        page,
                        limit,
                        LIST,
                        new Cursors.View<>(namespace -> new UUID(0, namespace.id), NamespaceRoutes::view)));
    }

    private Answer delete(Call call) {
        return switch (namespaces.delete(call.variable("name"), Users.Actor.of(call))) {
            case Namespaces.Deletion.Deleted() -> Answer.empty(204);
            case Namespaces.Deletion.Absent() -> throw new ProblemException(Problem.notFound());
            case Namespaces.Deletion.Default() ->
                throw new ProblemException(Code.CONFLICT, "There is always the namespace default; it stays.");
            case Namespaces.Deletion.Occupied(List<String> by) ->
                throw new ProblemException(
                        Code.CONFLICT,
                        "The namespace is not empty; first delete what lies in it: " + String.join(", ", by) + ".");
        };
    }

    private static Map<String, Object> view(Namespace namespace) {
        return Map.of("name", namespace.name, "sandbox", namespace.sandbox);
    }
}
