package dev.vigil.protocol.identity;

import java.net.URI;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// Who holds a certificate, as its one URI name says: `spiffe://<domain>/worker/<uuid>` or
/// `spiffe://<domain>/service/<name>`. The subject of the certificate is for people and never decides anything.
///
/// @param domain trust domain of the installation, `vigil.local` by default
/// @param kind   `worker` or `service`
/// @param name   UUID of the worker, or name of the service
public record SpiffeId(String domain, String kind, String name) {
    /// Kind of worker certificates.
    public static final String WORKER = "worker";

    /// Kind of service certificates.
    public static final String SERVICE = "service";

    private static final int URI_NAME = 6;

    /// Reads the id out of a certificate.
    ///
    /// @return empty unless the certificate has exactly one URI name and that is such an id
    public static Optional<SpiffeId> of(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            if (names == null) {
                return Optional.empty();
            }
            List<String> uris = names.stream()
                    .filter(name -> name.get(0) instanceof Integer type && type == URI_NAME)
                    .map(name -> (String) name.get(1))
                    .toList();
            return uris.size() == 1 ? parse(uris.getFirst()) : Optional.empty();
        } catch (CertificateParsingException e) {
            return Optional.empty();
        }
    }

    /// Reads the text form.
    public static Optional<SpiffeId> parse(String text) {
        URI uri;
        try {
            uri = URI.create(text);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        if (!"spiffe".equals(uri.getScheme()) || uri.getHost() == null || uri.getRawPath() == null) {
            return Optional.empty();
        }
        String[] path = uri.getRawPath().split("/", -1);
        boolean shaped = path.length == 3 && path[0].isEmpty() && !path[2].isEmpty();
        if (!shaped || !(path[1].equals(WORKER) || path[1].equals(SERVICE))) {
            return Optional.empty();
        }
        var id = new SpiffeId(uri.getHost(), path[1], path[2]);
        // A second spelling of the same id must not exist: no port, query, fragment, user or upper-case scheme.
        return id.toString().equals(text) ? Optional.of(id) : Optional.empty();
    }

    /// The worker's id, when this names a worker by a well-formed UUID.
    public Optional<UUID> worker() {
        if (!kind.equals(WORKER)) {
            return Optional.empty();
        }
        try {
            UUID uuid = UUID.fromString(name);
            return uuid.toString().equals(name) ? Optional.of(uuid) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return "spiffe://" + domain + "/" + kind + "/" + name;
    }
}
