package dev.vigil.platform;

import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The settings of each service of one platform.
///
/// @param folder      where everything is kept
/// @param ports       the ports of the services
/// @param database    the database and its roles
/// @param credentials of the accounts made at the first start
record ServiceSettings(DataFolder folder, Ports ports, Database database, DevCredentials credentials) {

    /// @param approvedHandlers names of handlers that need no second admin
    Map<String, Object> api(List<String> approvedHandlers) {
        Map<String, Object> settings = web(Role.API, ports.api());
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

    Map<String, Object> audit() {
        Map<String, Object> settings = web(Role.AUDIT, ports.audit());
        settings.put("vigil.token.issuer", Ports.url(ports.api()));
        settings.put(
                "vigil.audit.signing-key-file", folder.part("services/audit").resolve("signing-key.pem"));
        settings.put("vigil.audit.create-signing-key", true);
        settings.put("vigil.trusted-proxies", "127.0.0.1");
        return settings;
    }

    /// @param invitation empty when it has a certificate
    Map<String, Object> gdpr(Optional<Registrar.Invitation> invitation) {
        Map<String, Object> settings = web(Role.GDPR, ports.gdpr());
        settings.put("vigil.token.issuer", Ports.url(ports.api()));
        settings.put("vigil.gdpr.api-url", workerUrl());
        settings.put("vigil.gdpr.audit-url", Ports.url(ports.audit()));
        settings.put("vigil.gdpr.state-dir", identity("gdpr"));
        settings.put(
                "vigil.gdpr.signing-key-file", folder.part("services/gdpr-keys").resolve("signing-key.pem"));
        settings.put("vigil.gdpr.create-signing-key", true);
        settings.put("vigil.trusted-proxies", "127.0.0.1");
        invitation.ifPresent(one -> {
            settings.put("vigil.gdpr.join-token", one.token());
            settings.put("vigil.gdpr.ca-pin", one.caPin());
        });
        return settings;
    }

    /// @param name       `core-1`
    /// @param invitation empty when it has a certificate
    Map<String, Object> core(String name, Optional<Registrar.Invitation> invitation) {
        Map<String, Object> settings = new LinkedHashMap<>(database.settings(Role.CORE));
        settings.put("vigil.core.name", name);
        settings.put("vigil.core.state-dir", identity(name));
        settings.put("vigil.core.api-url", workerUrl());
        invitation.ifPresent(one -> {
            settings.put("vigil.core.join-token", one.token());
            settings.put("vigil.core.ca-pin", one.caPin());
        });
        return settings;
    }

    /// @param name       `worker-1`
    /// @param platform   what the worker may run, and how
    /// @param invitation empty when it has a certificate
    Map<String, Object> worker(String name, PlatformSettings platform, Optional<Registrar.Invitation> invitation) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("vigil.agent.name", name);
        settings.put("vigil.agent.state-dir", folder.part("workers/" + name));
        settings.put("vigil.agent.api-url", workerUrl());
        settings.put("vigil.agent.allow-unsandboxed", platform.allowUnsandboxed());
        settings.put("vigil.agent.drain-timeout", "3s");
        Path handlers = platform.handlers();
        if (handlers != null) {
            settings.put("vigil.agent.handlers", handlers);
        }
        invitation.ifPresent(one -> {
            settings.put("vigil.agent.join-token", one.token());
            settings.put("vigil.agent.ca-pin", one.caPin());
        });
        return settings;
    }

    /// Where the services keep key and certificate.
    Path identity(String service) {
        return folder.part("services/" + service);
    }

    String workerUrl() {
        return "https://127.0.0.1:" + ports.worker();
    }

    private Map<String, Object> web(Role role, int port) {
        var settings = new LinkedHashMap<>(database.settings(role));
        settings.put("server.address", "127.0.0.1");
        settings.put("server.port", port);
        return settings;
    }
}
