package dev.vigil.platform;

import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The settings of each service of one platform.
///
/// @param folder      where everything is kept
/// @param ports       the ports of the services
/// @param database    the database and its roles
/// @param credentials of the accounts made at the first start
record ServiceSettings(DataFolder folder, Ports ports, Database database, DevCredentials credentials) {

    /// @param approvedHandlers names of handlers that need no second admin
    Map<String, Object> api(List<String> approvedHandlers) {
        Map<String, Object> settings = of(Role.API, ports.api());
        settings.put("vigil.url", Ports.url(ports.api()));
        settings.put("vigil.worker-port.port", ports.worker());
        settings.put("management.server.port", ports.management());
        settings.put("management.server.address", "127.0.0.1");
        settings.put("vigil.audit.url", Ports.url(ports.audit()));
        settings.put("vigil.gdpr.url", Ports.url(ports.gdpr()));
        settings.put("vigil.vault.root-key-file", folder.rootKey());
        settings.put("vigil.vault.create-root-key", true);
        settings.put("vigil.bootstrap.admin.username", DevCredentials.ADMIN);
        settings.put("vigil.bootstrap.admin.password", credentials.adminPassword());
        settings.put("vigil.bootstrap.client.id", DevCredentials.CLIENT);
        settings.put("vigil.bootstrap.client.secret", credentials.clientSecret());
        settings.put("vigil.bootstrap.approved-handlers", String.join(",", approvedHandlers));
        return settings;
    }

    private Map<String, Object> of(Role role, int port) {
        var settings = new LinkedHashMap<>(database.settings(role));
        settings.put("server.address", "127.0.0.1");
        settings.put("server.port", port);
        return settings;
    }
}
