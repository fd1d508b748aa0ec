package dev.vigil.api.access;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Caller.Permissions;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Users, for admins; and service accounts as far as they are like users.
final class UserRoutes implements Routes {
    static final int NAME_LENGTH_MAX = 100;
    private static final int PASSWORD_LENGTH_MAX = 1024;
    private static final int LIST_MAX = 1000;

    private final Users users;
    private final Namespaces namespaces;
    private final Passwords passwords;
    private final Lists lists;

    /// What users are listed, signed out and limited with.
    record Lists(Cursors cursors, Sessions sessions, RunningLimits limits) {}

    UserRoutes(Users users, Namespaces namespaces, Passwords passwords, Lists lists) {
        this.users = users;
        this.namespaces = namespaces;
        this.passwords = passwords;
        this.lists = lists;
    }

    @Override
    public List<Route> all() {
        return List.of(
                admin(Route.post("/api/v1/users", "createUser").about("Users", "Create a user"))
                        .body("NewUser")
                        .answers(201, "User")
                        .creates()
                        .dryRun()
                        .handler(this::create),
                admin(Route.get("/api/v1/users", "listUsers").about("Users", "List users, newest first"))
                        .query("limit", "after", "sort")
                        .answers(200, "UserPage")
                        .handler(this::list),
                admin(Route.get("/api/v1/users/{id}", "getUser").about("Users", "Get a user or service account"))
                        .answers(200, "User")
                        .handler(call -> Answer.json(200, view(find(call)))),
                admin(Route.patch("/api/v1/users/{id}", "updateUser")
                                .about("Users", "Change role, password or limits; null takes a limit away"))
                        .body("UserPatch")
                        .answers(200, "User")
                        .dryRun()
                        .handler(this::update),
                admin(Route.delete("/api/v1/users/{id}", "deleteUser").about("Users", "Delete a user"))
                        .answers(204, "")
                        .dryRun()
                        .handler(this::delete),
                admin(Route.post("/api/v1/users/{id}:disable", "disableUser")
                                .about("Users", "Disable a user; in force within 2 s"))
                        .answers(200, "User")
                        .dryRun()
                        .handler(call -> enable(call, false)),
                admin(Route.post("/api/v1/users/{id}:enable", "enableUser").about("Users", "Enable a user again"))
                        .answers(200, "User")
                        .dryRun()
                        .handler(call -> enable(call, true)));
    }

    private static Route.Draft admin(Route.Draft route) {
        return route.roles().scope(Scope.USERS_MANAGE);
    }

    private Answer create(Call call) throws IOException {
        Fields fields = call.json();
        String username = fields.text("username", NAME_LENGTH_MAX);
        // Hashed before the first statement: a transaction around this call must not wait for it.
        Optional<String> password = newPassword(fields).map(passwords::hash);
        Users.Powers powers = powers(fields, call.caller());
        fields.finish();
        var draft = new Users.NewUser("user", username, password.orElse(null), powers);
        User made = users.create(draft, Users.Actor.of(call)).orElseThrow(UserRoutes::nameTaken);
        return Answer.json(201, view(made)).header("Location", "/api/v1/users/" + publicId(made));
    }

    private Answer list(Call call) {
        int limit = Cursors.limit(call);
        UUID before = lists.cursors.afterNewest(call, "users");
        List<User> page = users.page("user", before, limit + 1);
        return Answer.json(
                200, lists.cursors.page(page, limit, "users", new Cursors.View<>(user -> user.id, this::view)));
    }

    private Answer update(Call call) throws IOException {
        User user = find(call);
        Fields patch = call.json();
        Fields fields = patch.over(limits(user));
        Optional<Role> role = fields.oneOf("role", Role.class);
        Optional<String> password = newPassword(fields);
        var _ = permissionsOf(fields);
        var _ = rate(fields);
        keep(fields, "username", user.username);
        keep(fields, "namespace", namespaces.nameOf(user.namespace));
        fields.finish();
        if (role.isPresent() && user.id.equals(call.caller().id()) && role.get() != user.role()) {
            throw new ProblemException(
                    Code.PERMISSION_DENIED, "Nobody changes his own role; ask another admin to do it.");
        }
        Optional<String> hash = password.map(passwords::hash);
        Optional<User> changedUser = users.change(user.id, "user_changed", Users.Actor.of(call), changed -> {
            role.ifPresent(value -> changed.role = value.label());
            hash.ifPresent(value -> changed.password = value);
            // Laid over the row as it is now: another change may have come between.
            Fields next = patch.over(limits(changed));
            Integer running = changed.maxConcurrentExecutions;
            changed.permissions(permissionsOf(next));
            changed.requestsPerMinute = rate(next);
            if (!Objects.equals(running, changed.maxConcurrentExecutions)) {
                lists.limits.set(changed.namespace, changed.id, changed.maxConcurrentExecutions);
            }
        });
        if (hash.isPresent() && changedUser.isPresent()) {
            // Whoever knew the old password may be signed in with it.
            lists.sessions.endAll(user.id);
        }
        return answer(changedUser);
    }

    /// What a patch of a user is laid over: what he is limited by, as it is written in requests.
    private static Map<String, @Nullable Object> limits(User user) {
        Map<String, Object> permissions = MeRoute.permissions(user.permissions());
        permissions.replaceAll((_, value) -> value instanceof Set<?> set ? List.copyOf(set) : value);
        Map<String, @Nullable Object> limits = new LinkedHashMap<>();
        limits.put("permissions", permissions);
        limits.put("requests_per_minute", user.requestsPerMinute);
        return limits;
    }

    /// His tasks and keys lie where he is, and the trail and the settings know him by his name.
    private static void keep(Fields fields, String name, String value) {
        if (fields.optionalText(name, NAME_LENGTH_MAX)
                .filter(given -> !given.equals(value))
                .isPresent()) {
            fields.refuse(name, "immutable", "cannot be changed", "create another user");
        }
    }

    private Answer delete(Call call) {
        UUID id = call.id("id", Kind.USER);
        refuseSelf(id, call);
        if (!users.delete(id, Users.Actor.of(call))) {
            throw new ProblemException(Problem.notFound());
        }
        return Answer.empty(204);
    }

    private Answer enable(Call call, boolean enabled) {
        UUID id = call.id("id", Kind.USER);
        refuseSelf(id, call);
        String action = enabled ? "user_enabled" : "user_disabled";
        return answer(users.change(id, action, Users.Actor.of(call), user -> user.enabled = enabled));
    }

    private static void refuseSelf(UUID id, Call call) {
        if (id.equals(call.caller().id())) {
            throw new ProblemException(
                    Code.PERMISSION_DENIED, "Nobody disables or deletes himself; ask another admin to do it.");
        }
    }

    private Answer answer(Optional<User> changed) {
        return Answer.json(200, view(changed.orElseThrow(() -> new ProblemException(Problem.notFound()))));
    }

    Users.Powers powers(Fields fields, Caller caller) {
        Role role = fields.oneOf("role", Role.class).orElseGet(() -> fields.missing("role", Role.VIEWER));
        int namespace = fields.optionalText("namespace", 63)
                .map(name -> namespaces.numberOf(name).orElseGet(() -> {
                    fields.refuse("namespace", "unknown", "does not exist", "create it first, or leave it out");
                    return caller.namespace();
                }))
                .orElse(caller.namespace());
        return new Users.Powers(role, namespace, permissionsOf(fields), rate(fields));
    }

    private static @Nullable Integer rate(Fields fields) {
        return fields.integer("requests_per_minute", 1, 10_000_000).orElse(null);
    }

    private static Permissions permissionsOf(Fields fields) {
        return fields.object("permissions").map(UserRoutes::permissions).orElse(Permissions.ALL);
    }

    private static Permissions permissions(Fields fields) {
        return new Permissions(
                list(fields, "allowed_task_types", Set.of("one_time", "cron", "interval")),
                list(fields, "allowed_priorities", Set.of("low", "medium", "high", "critical")),
                list(fields, "allowed_handlers", Set.of()),
                fields.integer("max_tasks", 0, Integer.MAX_VALUE).orElse(null),
                fields.integer("max_concurrent_executions", 0, Integer.MAX_VALUE)
                        .orElse(null));
    }

    private static @Nullable Set<String> list(Fields fields, String name, Set<String> possible) {
        Optional<List<String>> values = fields.texts(name, LIST_MAX);
        if (!possible.isEmpty() && !possible.containsAll(values.orElse(List.of()))) {
            fields.refuse(
                    name,
                    "not_in_list",
                    "has a value that is none of the possible ones",
                    "use " + String.join(", ", new TreeSet<>(possible)));
        }
        return values.map(TreeSet::new).orElse(null);
    }

    private static Optional<String> newPassword(Fields fields) {
        Optional<String> password = fields.optionalText("password", PASSWORD_LENGTH_MAX);
        if (password.isPresent() && password.get().length() < Passwords.LENGTH_MIN) {
            fields.refuse("password", "length", "is too short", "use at least " + Passwords.LENGTH_MIN + " characters");
        }
        return password;
    }

    private User find(Call call) {
        return users.find(call.id("id", Kind.USER)).orElseThrow(() -> new ProblemException(Problem.notFound()));
    }

    static ProblemException nameTaken() {
        return new ProblemException(Code.ALREADY_EXISTS, "The name is taken; choose another one.");
    }

    static String publicId(User user) {
        return new Id(Kind.USER, user.id).toString();
    }

    Map<String, Object> view(User user) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", publicId(user));
        view.put("kind", user.kind);
        view.put("username", user.username);
        view.put("role", user.role);
        view.put("namespace", namespaces.nameOf(user.namespace));
        view.put("enabled", user.enabled);
        view.put("permissions", MeRoute.permissions(user.permissions()));
        view.put("requests_per_minute", user.requestsPerMinute);
        view.put("created_at", user.createdAt.toString());
        return view;
    }
}
