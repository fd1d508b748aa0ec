package dev.vigil.protocol.identity;

import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where an identity lies, and how to get one when there is none yet.
///
/// @param folder private folder of this worker or service; created with mode 0700
/// @param api    worker port of the API, `https://host:port`
/// @param name   a name for people; the CA decides the id
/// @param token  join token, needed only while there is no certificate; null afterwards
/// @param caPin  `sha256:…` of the CA's key, needed only while there is no certificate; null afterwards
public record IdentitySettings(
        Path folder,
        URI api,
        String name,
        @Nullable String token,
        @Nullable String caPin) {
    public IdentitySettings {
        if (!"https".equals(api.getScheme()) || api.getHost() == null) {
            throw new IllegalArgumentException("API address is " + api + "; use https://host:port of its worker port");
        }
    }

    @Override
    public String toString() {
        return "IdentitySettings[" + name + " in " + folder + ", API " + api + "]";
    }
}
