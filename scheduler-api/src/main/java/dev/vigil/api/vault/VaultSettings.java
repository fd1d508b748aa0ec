package dev.vigil.api.vault;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Settings of the vault, `vigil.vault.*`.
///
/// @param rootKeyFile           32 raw bytes, readable by the service's account only
/// @param createRootKey         makes the file when it is missing; for development
/// @param tombstoneFile         list of the erased, outside of the database and its backups; writable, one for each
///                              node; by default `tombstones` beside the root key
/// @param sealsPerKey           how often one data key seals before the next one takes over
/// @param workerCertificateLife how long a worker's certificate lasts; it renews at half of it
/// @param serverCertificateLife the same for the certificates of the worker port and of the services
/// @param workerPortHosts       names and addresses under which workers reach the worker port
@ConfigurationProperties("vigil.vault")
public record VaultSettings(
        Path rootKeyFile,
        @DefaultValue("false") boolean createRootKey,
        @Nullable Path tombstoneFile,
        @DefaultValue("1073741824") long sealsPerKey,
        @DefaultValue("24h") Duration workerCertificateLife,
        @DefaultValue("30d") Duration serverCertificateLife,
        @DefaultValue({"localhost", "127.0.0.1"}) List<String> workerPortHosts) {
    public VaultSettings {
        workerPortHosts = List.copyOf(workerPortHosts);
        for (String host : workerPortHosts) {
            if (!Hosts.isValid(host)) {
                throw new IllegalArgumentException(
                        "vigil.vault.worker-port-hosts names " + host + "; use host names or addresses");
            }
        }
        if (sealsPerKey < 1 || sealsPerKey > 1L << 30) {
            throw new IllegalArgumentException(
                    "vigil.vault.seals-per-key is " + sealsPerKey + "; use 1 to " + (1L << 30));
        }
        if (workerCertificateLife.compareTo(Duration.ofSeconds(10)) < 0
                || workerCertificateLife.compareTo(Duration.ofDays(7)) > 0) {
            throw new IllegalArgumentException(
                    "vigil.vault.worker-certificate-life is " + workerCertificateLife + "; use 10s to 7d");
        }
        if (serverCertificateLife.compareTo(Duration.ofSeconds(10)) < 0
                || serverCertificateLife.compareTo(Duration.ofDays(90)) > 0) {
            throw new IllegalArgumentException(
                    "vigil.vault.server-certificate-life is " + serverCertificateLife + "; use 10s to 90d");
        }
    }

    Path tombstones() {
        return tombstoneFile == null ? rootKeyFile.toAbsolutePath().resolveSibling("tombstones") : tombstoneFile;
    }
}
