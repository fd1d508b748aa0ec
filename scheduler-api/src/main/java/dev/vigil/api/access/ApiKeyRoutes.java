package dev.vigil.api.access;

import dev.vigil.api.web.Answer;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
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
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// API keys: everybody manages his own, admins those of all. A key itself manages none, so whoever finds one cannot
/// make himself another that outlives it.
final class ApiKeyRoutes implements Routes {
    private static final String PATH = "/api/v1/api-keys";
    private static final Duration LIFE = Duration.ofDays(90);
    private static final Duration LIFE_MAX = Duration.ofDays(3650);
    private static final Duration OVERLAP = Duration.ofDays(1);
    private static final Duration OVERLAP_MAX = Duration.ofDays(30);
    private static final int ADDRESSES_MAX = 50;

    private final ApiKeys keys;
    private final Cursors cursors;
    private final InstantSource time;

    ApiKeyRoutes(ApiKeys keys, Cursors cursors, InstantSource time) {
        this.keys = keys;
        this.cursors = cursors;
        this.time = time;
    }

    @Override
    public List<Route> all() {
        return List.of(
                everybody(Route.post(PATH, "createApiKey").about("Identity", "Create an API key; it is shown once"))
                        .body("NewApiKey")
                        .answers(201, "MadeApiKey")
                        .creates()
                        .dryRun()
                        .handler(this::create),
                everybody(Route.get(PATH, "listApiKeys").about("Identity", "List your API keys, or all for admins"))
                        .query("limit", "after", "sort")
                        .answers(200, "ApiKeyPage")
                        .handler(this::list),
                everybody(Route.get(PATH + "/{id}", "getApiKey").about("Identity", "Get an API key, without its text"))
                        .answers(200, "ApiKey")
                        .handler(call -> Answer.json(200, view(find(call)))),
                everybody(Route.delete(PATH + "/{id}", "deleteApiKey")
                                .about("Identity", "Delete an API key; in force within 2 s"))
                        .answers(204, "")
                        .dryRun()
                        .handler(this::delete),
                everybody(Route.post(PATH + "/{id}:roll", "rollApiKey")
                                .about("Identity", "Give an API key a new text; the old one works on for the overlap"))
                        .body("ApiKeyRoll")
                        .answers(200, "MadeApiKey")
                        .dryRun()
                        .handler(this::roll));
    }

    private static Route.Draft everybody(Route.Draft route) {
        return route.roles(Role.values());
    }

    private Answer create(Call call) throws IOException {
        Caller caller = signedIn(call);
        Fields fields = call.json();
        String name = fields.text("name", 100);
        List<String> scopes = scopes(fields, caller);
        Duration life = fields.seconds("expires_in").orElse(LIFE);
        if (life.compareTo(Duration.ofSeconds(1)) < 0 || life.compareTo(LIFE_MAX) > 0) {
            fields.refuse("expires_in", "range", "is outside the range", "use 1 s to " + LIFE_MAX.toDays() + " days");
            life = LIFE;
        }
        Optional<List<String>> ips = fields.texts("allowed_ips", ADDRESSES_MAX);
        if (ips.isPresent()
                && (ips.get().isEmpty()
                        || ips.get().stream().anyMatch(ip -> Cidr.parse(ip).isEmpty()))) {
            fields.refuse(
                    "allowed_ips",
                    "format",
                    "is empty or has an item that is no range of addresses",
                    "write 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32; leave it out for all addresses");
        }
        boolean test = fields.bool("test").orElse(false);
        fields.finish();
        Instant end = time.instant().plus(life).truncatedTo(ChronoUnit.MICROS);
        var terms = new ApiKey.Terms(name, test, scopes, ips.orElse(null), end);
        ApiKeys.Made made = keys.create(caller.id(), terms, Users.Actor.of(call))
                .orElseThrow(() -> new ProblemException(
                        Code.QUOTA_EXCEEDED,
                        "You have " + ApiKeys.PER_OWNER_MAX + " API keys, which is the most; delete some."));
        return Answer.json(201, withText(made))
                .header("Location", PATH + "/" + made.key().publicId());
    }

    /// What a key may do is at most what its maker may do now.
    private static List<String> scopes(Fields fields, Caller caller) {
        List<String> own = caller.scopes().stream().map(Scope::label).sorted().toList();
        List<String> asked = fields.texts("scopes", Scope.values().length).orElse(own);
        if (!asked.stream().allMatch(label -> Scope.of(label).isPresent())) {
            fields.refuse(
                    "scopes", "not_in_list", "has a value that is no scope", "use some of " + String.join(", ", own));
        } else if (!own.containsAll(asked)) {
            throw new ProblemException(
                    Code.SCOPE_MISSING,
                    "A key cannot have a scope that your own token has not; ask for fewer, or for another token.");
        }
        return List.copyOf(new TreeSet<>(asked));
    }

    private Answer list(Call call) {
        Caller caller = call.caller();
        int limit = Cursors.limit(call);
        UUID owner = managesAll(caller) ? null : caller.id();
        String list = "api-keys " + caller.id();
        List<ApiKey> page = keys.page(owner, cursors.afterNewest(call, list), limit + 1);
        return Answer.json(200, cursors.page(page, limit, list, new Cursors.View<>(ApiKey::id, ApiKeyRoutes::view)));
    }

    private Answer delete(Call call) {
        signedIn(call);
        if (!keys.delete(find(call), Users.Actor.of(call))) {
            throw new ProblemException(Problem.notFound());
        }
        return Answer.empty(204);
    }

    private Answer roll(Call call) throws IOException {
        signedIn(call);
        ApiKey key = find(call);
        Duration overlap = OVERLAP;
        if (call.header("Content-Type").isPresent()) {
            Fields fields = call.json();
            overlap = fields.seconds("overlap").orElse(OVERLAP);
            if (overlap.isNegative() || overlap.compareTo(OVERLAP_MAX) > 0) {
                fields.refuse("overlap", "range", "is outside the range", "use 0 to " + OVERLAP_MAX.toDays() + " days");
            }
            fields.finish();
        }
        if (!call.caller().id().equals(key.owner())) {
            throw new ProblemException(
                    Code.PERMISSION_DENIED, "Only its owner rolls a key, because he gets its text; delete it instead.");
        }
        return Answer.json(
                200,
                withText(keys.roll(key, overlap, Users.Actor.of(call))
                        .orElseThrow(() -> new ProblemException(
                                Code.CONFLICT, "The key was rolled or deleted meanwhile; read it again."))));
    }

    private ApiKey find(Call call) {
        Caller caller = call.caller();
        return keys.find(call.id("id", Kind.API_KEY))
                .filter(key -> key.owner().equals(caller.id()) || managesAll(caller))
                .orElseThrow(() -> new ProblemException(Problem.notFound()));
    }

    private static boolean managesAll(Caller caller) {
        return caller.isAdmin() && caller.scopes().contains(Scope.USERS_MANAGE);
    }

    private static Caller signedIn(Call call) {
        if (call.caller().key() != null) {
            throw new ProblemException(
                    Code.PERMISSION_DENIED, "An API key manages no API keys; sign in, or use a client's token.");
        }
        return call.caller();
    }

    private static Map<String, Object> withText(ApiKeys.Made made) {
        Map<String, Object> view = view(made.key());
        view.put("key", made.text().text());
        return view;
    }

    static Map<String, Object> view(ApiKey key) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", key.publicId());
        view.put("name", key.terms().name());
        view.put("prefix", key.prefix());
        view.put("test", key.terms().test());
        view.put("owner", new Id(Kind.USER, key.owner()).toString());
        view.put("scopes", key.terms().scopes());
        view.put("allowed_ips", key.terms().allowedIps());
        view.put("created_at", key.createdAt().toString());
        view.put("expires_at", key.terms().expiresAt().toString());
        view.put("last_used_at", text(key.lastUsedAt()));
        view.put("previous_until", text(key.hashes().previousUntil()));
        return view;
    }

    private static @Nullable String text(@Nullable Instant at) {
        return at == null ? null : at.toString();
    }
}
