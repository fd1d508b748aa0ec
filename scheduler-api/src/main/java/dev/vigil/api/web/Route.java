package dev.vigil.api.web;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One operation: where it lies, who may call it, what it takes and gives, and what runs. The table of these drives
/// the filter, the dispatch, the OpenAPI document and the generated test of every route and role.
///
/// @param method    `GET`, `POST`, …
/// @param path      with variables in braces
/// @param access    who may call it
/// @param operation how it is described
/// @param writing   how a call that changes something may be tried and repeated
/// @param handler   what runs
public record Route(
        String method, PathTemplate path, Access access, Operation operation, Writing writing, Handler handler) {

    /// The path as it was written.
    public String template() {
        return path.text();
    }

    /// The names of the path's variables.
    public List<String> variables() {
        return path.variables();
    }

    /// What a call runs. Blocking is fine: every call has a virtual thread of its own.
    @FunctionalInterface
    public interface Handler {
        Answer handle(Call call) throws IOException;
    }

    /// Who sees to it that a call is made once, or not at all.
    public enum Means {
        /// Nobody: the route does not offer it.
        NONE,
        /// One transaction around the handler, whose own transactions join it. Nothing slow in there, and no
        /// transaction of its own.
        TRANSACTION,
        /// The handler itself.
        HANDLER,
        /// The handler, which reads the body and remembers its outcome part by part ([Call#parts]).
        PARTS
    }

    /// How a call that changes something may be tried and repeated.
    ///
    /// @param key     for calls with an `Idempotency-Key`
    /// @param dryRun  for calls with `dry_run=true`
    /// @param bodyMax longest body that is read for it
    public record Writing(Means key, Means dryRun, int bodyMax) {}

    /// How an operation is described in OpenAPI.
    ///
    /// @param id      unique verb and noun, such as `createTask`
    /// @param tag     the group it is shown in
    /// @param summary one line
    /// @param query   names of the query parameters; others are refused
    /// @param body    name of the request schema; null when it takes none
    /// @param answers status to schema name; an empty name is no body, a name with a slash is a media type
    public record Operation(
            String id,
            String tag,
            String summary,
            List<String> query,
            @Nullable String body,
            Map<Integer, String> answers) {}

    public static Draft get(String path, String operation) {
        return new Draft("GET", path, operation);
    }

    public static Draft post(String path, String operation) {
        return new Draft("POST", path, operation);
    }

    public static Draft put(String path, String operation) {
        return new Draft("PUT", path, operation);
    }

    public static Draft patch(String path, String operation) {
        return new Draft("PATCH", path, operation);
    }

    public static Draft delete(String path, String operation) {
        return new Draft("DELETE", path, operation);
    }

    /// A route that is being described. It has no access until one of the access methods is called, and is refused by
    /// [#handler] without: deny by default.
    public static final class Draft {
        private final String method;
        private final String path;
        private final String id;
        private String tag = "";
        private String summary = "";
        private final List<String> query = new ArrayList<>();
        private final TreeMap<Integer, String> answers = new TreeMap<>();
        private @Nullable String body;
        private @Nullable Access access;
        private Means key = Means.NONE;
        private Means dryRun = Means.NONE;
        private int bodyMax = Call.BODY_BYTES_MAX;

        private Draft(String method, String path, String id) {
            this.method = method;
            this.path = path;
            this.id = id;
        }

        /// The group in OpenAPI and its one-line summary.
        public Draft about(String group, String line) {
            this.tag = group;
            this.summary = line;
            return this;
        }

        /// Callers with a token, of one of these roles. The admin is always one of them.
        public Draft roles(Role... roles) {
            var allowed = EnumSet.of(Role.ADMIN, roles);
            this.access = new Access.Bearer(allowed, null);
            return this;
        }

        /// The scope that the token must name; after [#roles].
        public Draft scope(Scope scope) {
            if (!(access instanceof Access.Bearer bearer)) {
                throw new IllegalStateException("route " + id + " names a scope before its roles");
            }
            this.access = new Access.Bearer(bearer.roles(), scope);
            return this;
        }

        /// Anybody.
        public Draft open(Access.Limit limit) {
            this.access = new Access.Open(limit);
            return this;
        }

        /// Peers of the worker port that showed a certificate.
        public Draft certificate() {
            this.access = new Access.Certificate();
            return this;
        }

        /// Query parameters that it understands.
        public Draft query(String... names) {
            query.addAll(List.of(names));
            return this;
        }

        /// The schema of its body.
        public Draft body(String schema) {
            this.body = schema;
            return this;
        }

        /// The schema of an answer; an empty one is no body.
        public Draft answers(int status, String schema) {
            answers.put(status, schema);
            return this;
        }

        /// It creates something, so it honours `Idempotency-Key`: once in 24 hours, together with its answer.
        public Draft creates() {
            return creates(Means.TRANSACTION);
        }

        /// The same by other means.
        public Draft creates(Means means) {
            this.key = means;
            return this;
        }

        /// It can be tried with `dry_run=true`: the same checks and answer, nothing stored.
        public Draft dryRun() {
            return dryRun(Means.TRANSACTION);
        }

        /// The same by other means.
        public Draft dryRun(Means means) {
            this.dryRun = means;
            return query("dry_run");
        }

        /// Its body may be longer than that of an ordinary call.
        public Draft bodyMax(int bytes) {
            this.bodyMax = bytes;
            return this;
        }

        /// The finished route.
        public Route handler(Handler handler) {
            if (access == null) {
                throw new IllegalStateException(
                        "route " + id + " says nobody may call it; name roles, open or certificate");
            }
            var operation = new Operation(id, tag, summary, List.copyOf(query), body, Map.copyOf(answers));
            return new Route(
                    method, new PathTemplate(path), access, operation, new Writing(key, dryRun, bodyMax), handler);
        }
    }
}
