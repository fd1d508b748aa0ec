package dev.vigil.api.vault;

import dev.vigil.api.web.Fields;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The names that clients may give, read from a body.
final class Names {
    private static final Pattern WORKER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    private static final Pattern GROUP = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");
    private static final Pattern HANDLER = Pattern.compile("[a-z0-9_-]{1,63}(\\.[a-z0-9_-]{1,63}){0,7}");
    private static final Pattern SECRET = Pattern.compile("[A-Za-z0-9._-]{0,100}\\*|[A-Za-z0-9._-]{1,100}");
    /// Services that may hold a certificate; the API itself issues its own.
    private static final Set<String> SERVICES = Set.of("service:core", "service:gdpr", "service:audit");

    private Names() {}

    static String worker(Fields fields) {
        String name = fields.text("name", 63);
        if (!name.equals("-") && !WORKER.matcher(name).matches()) {
            fields.refuse(
                    "name", "format", "is no name for a worker", "use letters, digits, dots, - and _, at most 63");
        }
        return name;
    }

    static String group(Fields fields) {
        String group = fields.text("group", 63);
        if (!GROUP.matcher(group).matches() && !SERVICES.contains(group)) {
            fields.refuse(
                    "group",
                    "format",
                    "is no group of workers",
                    "use lower-case letters, digits, dots, - and _, at most 63, or service:core, service:gdpr, service:audit");
        }
        return group;
    }

    static String handler(Fields fields) {
        String name = fields.text("name", 200);
        if (!isHandler(name)) {
            fields.refuse(
                    "name",
                    "format",
                    "is no name for a handler",
                    "use lower-case words with dots, such as backup.database");
        }
        return name;
    }

    static boolean isHandler(String name) {
        return HANDLER.matcher(name).matches();
    }

    static List<String> groups(Fields fields) {
        return checked(fields, "worker_groups", GROUP, "a group of workers");
    }

    static List<String> secrets(Fields fields) {
        return checked(fields, "secrets_allowed", SECRET, "the name of a secret, or its beginning and a star");
    }

    private static List<String> checked(Fields fields, String member, Pattern pattern, String what) {
        Optional<List<String>> given = fields.texts(member, 64);
        if (given.isPresent()
                && !given.get().stream().allMatch(name -> pattern.matcher(name).matches())) {
            fields.refuse(member, "format", "has an item that is not " + what, null);
        }
        return given.orElse(List.of());
    }
}
