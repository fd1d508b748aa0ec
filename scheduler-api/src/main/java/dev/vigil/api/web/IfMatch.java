package dev.vigil.api.web;

import java.util.List;

/// Which version of a thing a change is about, as `If-Match` says it.
public final class IfMatch {
    private IfMatch() {}

    /// The ETag of a version.
    public static String etag(long version) {
        return "\"" + version + "\"";
    }

    /// Whether the caller named any version rather than one of his own reading.
    public static boolean isAny(Call call) {
        return call.header("If-Match").orElse("").strip().equals("*");
    }

    /// Sees to it that a change is about the version there is.
    ///
    /// @param thing with its article, to say what has changed
    /// @throws ProblemException 428 without If-Match, 412 when it names another version
    public static void require(Call call, long version, String thing) {
        String match = call.header("If-Match")
                .orElseThrow(() -> new ProblemException(
                        Code.IF_MATCH_REQUIRED, "Say which version you mean: send If-Match with its ETag, or *."));
        if (!isAny(call) && !List.of(match.strip().split("\\s*,\\s*", -1)).contains(etag(version))) {
            throw stale(thing);
        }
    }

    /// Somebody else was faster.
    public static ProblemException stale(String thing) {
        return new ProblemException(
                Code.VERSION_CONFLICT, thing + " has another version by now; read it again and decide anew.");
    }
}
