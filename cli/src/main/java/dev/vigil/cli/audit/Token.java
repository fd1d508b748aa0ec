package dev.vigil.cli.audit;

import dev.vigil.cli.exit.CommandFailure;
import dev.vigil.cli.exit.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Where the bearer token comes from.
final class Token {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int ANSWER_BYTES_MAX = 64 * 1024;

    private Token() {}

    /// The token for a server: the one given, else `VIGIL_TOKEN`, else a sign-in as the admin of a `./vigil dev` on
    /// this machine, when its `ready.json` (readable for its owner only) names that very server.
    ///
    /// @param url   the server
    /// @param given of the command line
    /// @param data  folder of a `./vigil dev`
    static Optional<String> find(String url, @Nullable String given, @Nullable Path data) {
        String environment = System.getenv("VIGIL_TOKEN");
        if (given != null || (environment != null && !environment.isBlank())) {
            return Optional.of(given != null ? given : environment.strip());
        }
        Path folder = data != null ? data : Path.of(System.getenv().getOrDefault("VIGIL_DATA", ".vigil"));
        Path ready = folder.resolve("ready.json");
        if (data == null && !Files.isReadable(ready)) {
            return Optional.empty();
        }
        return signIn(url, ready);
    }

    private static Optional<String> signIn(String url, Path ready) {
        try {
            JsonNode dev = JSON.readTree(Files.readString(ready));
            Set<String> own = Stream.of("url", "audit_url")
                    .map(name -> dev.path(name).asString(""))
                    .collect(Collectors.toSet());
            String asked = url.replaceAll("/+$", "").replaceAll("/api/v1/audit$", "");
            if (!own.contains(asked)) {
                return Optional.empty();
            }
            byte[] login = JSON.writeValueAsBytes(Map.of(
                    "username", dev.path("admin").path("username").asString(""),
                    "password", dev.path("admin").path("password").asString("")));
            byte[] answer =
                    new Http(null).post(dev.path("url").asString("") + "/api/auth/login", login, ANSWER_BYTES_MAX);
            return Optional.of(JSON.readTree(answer).path("access_token").asString(""));
        } catch (IOException | JacksonException e) {
            throw new CommandFailure(
                    ExitCode.FILES, ready + " cannot be read: is `./vigil dev` running on that folder?");
        }
    }
}
