package dev.vigil.api.access;

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
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Service accounts, for admins. Whatever else can be done to a user is done to them by the routes of users, under the
/// same id.
final class ServiceAccountRoutes implements Routes {
    private static final String PATH = "/api/v1/service-accounts";
    private static final String KIND = "service_account";

    private final Users users;
    private final UserRoutes views;
    private final Cursors cursors;

    ServiceAccountRoutes(Users users, UserRoutes views, Cursors cursors) {
        this.users = users;
        this.views = views;
        this.cursors = cursors;
    }

    @Override
    public List<Route> all() {
        return List.of(
                admin(Route.post(PATH, "createServiceAccount")
                                .about("Users", "Create a service account; its secret is shown once"))
                        .body("NewServiceAccount")
                        .answers(201, "ServiceAccount")
                        .creates()
                        .dryRun()
                        .handler(this::create),
                admin(Route.get(PATH, "listServiceAccounts").about("Users", "List service accounts, newest first"))
                        .query("limit", "after", "sort")
                        .answers(200, "UserPage")
                        .handler(this::list),
                admin(Route.post(PATH + "/{id}:roll", "rollServiceAccount")
                                .about(
                                        "Users",
                                        "Give a service account a new secret; the old one and its tokens end at once"))
                        .answers(200, "ServiceAccount")
                        .dryRun()
                        .handler(this::roll));
    }

    private static Route.Draft admin(Route.Draft route) {
        return route.roles().scope(Scope.USERS_MANAGE);
    }

    private Answer create(Call call) throws IOException {
        Fields fields = call.json();
        String name = fields.text("name", UserRoutes.NAME_LENGTH_MAX);
        Users.Powers powers = views.powers(fields, call.caller());
        fields.finish();
        var secret = new Users.ClientSecret("sa_" + Secrets.next().substring(0, 16), Secrets.next());
        var draft = new Users.NewUser(KIND, name, null, powers);
        User made = users.createWithClient(draft, Users.Actor.of(call), secret).orElseThrow(UserRoutes::nameTaken);
        return Answer.json(201, secret(made.id, secret))
                .header("Location", "/api/v1/users/" + UserRoutes.publicId(made));
    }

    private Answer list(Call call) {
        int limit = Cursors.limit(call);
        UUID before = cursors.afterNewest(call, KIND);
        List<User> page = users.page(KIND, before, limit + 1);
        return Answer.json(200, cursors.page(page, limit, KIND, new Cursors.View<>(user -> user.id, views::view)));
    }

    private Answer roll(Call call) {
        UUID id = call.id("id", Kind.USER);
        return Answer.json(
                200,
                users.rollSecret(id, Secrets.next(), Users.Actor.of(call))
                        .map(secret -> secret(id, secret))
                        .orElseThrow(() -> new ProblemException(Problem.notFound())));
    }

    private static Map<String, Object> secret(UUID id, Users.ClientSecret secret) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", new Id(Kind.USER, id).toString());
        body.put("client_id", secret.clientId());
        body.put("client_secret", secret.secret());
        return body;
    }
}
