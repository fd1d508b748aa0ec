package dev.vigil.platform;

import dev.vigil.postgres.Folders;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Properties;

/// The admin and the client of a platform: made at its first start, the same ever after.
///
/// @param adminPassword of the user `admin`
/// @param clientSecret  of the client `dev-client`
record DevCredentials(String adminPassword, String clientSecret) {
    static final String ADMIN = "admin";
    static final String CLIENT = "dev-client";
    private static final int SECRET_BYTES = 20;

    /// Reads them from this file; makes them, and the file with mode 0600, when it is absent.
    static DevCredentials keptIn(Path file) throws IOException {
        if (!Files.exists(file)) {
            Folders.writePrivate(file, """
                    # Made once, read at every start.
                    admin=%s
                    client=%s
                    """.formatted(secret(), secret()));
        }
        var kept = new Properties();
        kept.load(new StringReader(Files.readString(file)));
        return new DevCredentials(read(kept, "admin", file), read(kept, "client", file));
    }

    private static String read(Properties kept, String name, Path file) throws IOException {
        String value = kept.getProperty(name);
        if (value == null) {
            throw new IOException(file + " has no " + name + "; restore the file, or start with another data folder");
        }
        return value;
    }

    private static String secret() {
        var random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    @Override
    public String toString() {
        return "credentials of " + ADMIN + " and " + CLIENT;
    }
}
