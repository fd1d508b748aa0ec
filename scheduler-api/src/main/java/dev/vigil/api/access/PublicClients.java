package dev.vigil.api.access;

import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Programs that people sign in to, and that can keep no secret: Swagger UI, and those of `vigil.public-clients`.
/// They are settings and no rows, so nobody makes one by SQL.
final class PublicClients {
    /// The page that comes with this service.
    static final String SWAGGER = "vigil-swagger";

    private final Map<String, PublicClient> clients = new LinkedHashMap<>();

    /// A program.
    ///
    /// @param redirectUris where codes may be sent; compared as texts
    record PublicClient(String id, List<String> redirectUris) {
        PublicClient {
            redirectUris = List.copyOf(redirectUris);
        }
    }

    PublicClients(AccessSettings settings) {
        settings.publicClients().forEach((id, uris) -> clients.put(id, checked(id, uris)));
        var swagger = List.of(settings.issuer() + "/swagger/oauth2-redirect.html");
        clients.put(SWAGGER, new PublicClient(SWAGGER, swagger));
    }

    Optional<PublicClient> find(String id) {
        return Optional.ofNullable(clients.get(id));
    }

    private static PublicClient checked(String id, List<String> uris) {
        if (!id.matches("[A-Za-z0-9_-]{1,64}") || uris.isEmpty()) {
            throw new IllegalArgumentException(
                    "vigil.public-clients." + id + ": use 1 to 64 of A-Z a-z 0-9 _ - and at least one redirect URI");
        }
        uris.forEach(uri -> {
            URI parsed = URI.create(uri);
            boolean safe = "https".equals(parsed.getScheme())
                    || ("http".equals(parsed.getScheme())
                            && List.of("127.0.0.1", "[::1]", "localhost").contains(String.valueOf(parsed.getHost())));
            if (!safe || parsed.getHost() == null || parsed.getFragment() != null) {
                throw new IllegalArgumentException("vigil.public-clients." + id + " has " + uri
                        + "; use https, or http to this machine, with a host and without a fragment");
            }
        });
        return new PublicClient(id, uris);
    }
}
