package dev.vigil.agent;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Settings of a worker, `vigil.agent.*`. Durations are written as `30s`.
///
/// @param name             a name for people
/// @param stateDir         private folder of this worker; one running agent per folder
/// @param apiUrl           worker port of the API, `https://host:port`
/// @param joinToken        join token, needed only for the first start; better a file, for arguments are seen by
///                         others
/// @param joinTokenFile    file that holds the join token
/// @param caPin            `sha256:…` of the CA, needed only for the first start
/// @param slots            executions at once
/// @param prefetch         executions taken beyond the slots; unset: as many as slots
/// @param handlers         folders that hold handler folders
/// @param demoHandlers     whether `demo.*` are offered
/// @param allowUnsandboxed run without a sandbox: for development only
/// @param healthPort       loopback port of `/livez` and `/readyz`; 0 for none
/// @param drainTimeout     longest wait at SIGTERM for what runs
@ConfigurationProperties(prefix = "vigil.agent", ignoreUnknownFields = false)
record AgentSettings(
        @DefaultValue("worker") String name,
        Path stateDir,
        URI apiUrl,
        @Nullable String joinToken,
        @Nullable Path joinTokenFile,
        @Nullable String caPin,
        @DefaultValue("4") int slots,
        @Nullable Integer prefetch,
        @DefaultValue List<Path> handlers,
        @DefaultValue("true") boolean demoHandlers,
        @DefaultValue("false") boolean allowUnsandboxed,
        @DefaultValue("0") int healthPort,
        @DefaultValue("30s") Duration drainTimeout) {

    AgentSettings {
        if (stateDir == null) {
            throw new IllegalArgumentException(
                    "vigil.agent.state-dir is not set; name a private folder of this worker");
        }
        if (apiUrl == null || !"https".equals(apiUrl.getScheme())) {
            throw new IllegalArgumentException("vigil.agent.api-url is " + apiUrl
                    + "; use the https address of the API's worker port, as the join command shows it");
        }
        if (slots < 1 || slots > 1_000) {
            throw new IllegalArgumentException("vigil.agent.slots is " + slots + "; use 1 to 1000");
        }
        if (healthPort < 0 || healthPort > 65_535) {
            throw new IllegalArgumentException("vigil.agent.health-port is " + healthPort + "; use 0 to 65535");
        }
    }

    /// The join token, from the setting or its file; null when there is neither.
    @Nullable String token() throws java.io.IOException {
        if (joinToken != null && !joinToken.isBlank()) {
            return joinToken.strip();
        }
        return joinTokenFile != null && Files.exists(joinTokenFile)
                ? Files.readString(joinTokenFile).strip()
                : null;
    }

    int prefetched() {
        return prefetch == null ? slots : prefetch;
    }

    @Override
    public String toString() {
        return "AgentSettings[" + name + ", state " + stateDir + ", API " + apiUrl + ", slots " + slots + "]";
    }
}
