package dev.vigil.api.vault;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.SpiffeId;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A worker, or a service that holds a certificate like one, as the registry knows it.
///
/// @param id            its id
/// @param name          for people
/// @param group         the group of its join token; `service:<name>` for a service
/// @param labels        of its join token
/// @param hosts         names and addresses in its certificate; empty for a worker
/// @param namespaces    numbers of the namespaces it may work for; null for all
/// @param state         what it may do
/// @param generation    of its newest certificate
/// @param keyHash       SHA-256 of that certificate's public key
/// @param certificate   that certificate, DER
/// @param blockedReason why it is blocked; null when it is not
/// @param joinToken     the invitation it came by
/// @param enrolledAt    when it came
/// @param removed       whether an operator removed it
record WorkerRow(
        UUID id,
        String name,
        String group,
        SortedMap<String, String> labels,
        List<String> hosts,
        @Nullable List<Integer> namespaces,
        State state,
        int generation,
        byte[] keyHash,
        byte[] certificate,
        @Nullable String blockedReason,
        UUID joinToken,
        Instant enrolledAt,
        boolean removed) {
    private static final String SERVICE = "service:";

    WorkerRow {
        labels = new TreeMap<>(labels);
        hosts = List.copyOf(hosts);
    }

    /// What a worker may do.
    enum State {
        ACTIVE,
        DRAINING,
        BLOCKED;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// The name in its certificate that decides who it is.
    SpiffeId spiffeId(String domain) {
        return isService()
                ? new SpiffeId(domain, SpiffeId.SERVICE, serviceName())
                : new SpiffeId(domain, SpiffeId.WORKER, id.toString());
    }

    /// What a certificate of it says.
    Authority.Subject subject(String domain, int ofGeneration) {
        return new Authority.Subject(publicId(), ofGeneration, spiffeId(domain), hosts);
    }

    String publicId() {
        return new Id(Kind.WORKER, id).toString();
    }

    boolean isService() {
        return isService(group);
    }

    static boolean isService(String group) {
        return group.startsWith(SERVICE);
    }

    /// Only of a service.
    String serviceName() {
        return group.substring(SERVICE.length());
    }

    WorkerRow with(State other, @Nullable String reason) {
        return new WorkerRow(
                id,
                name,
                group,
                labels,
                hosts,
                namespaces,
                other,
                generation,
                keyHash,
                certificate,
                reason,
                joinToken,
                enrolledAt,
                removed);
    }

    WorkerRow renewed(byte[] newKeyHash, byte[] newCertificate) {
        return new WorkerRow(
                id,
                name,
                group,
                labels,
                hosts,
                namespaces,
                state,
                generation + 1,
                newKeyHash,
                newCertificate,
                blockedReason,
                joinToken,
                enrolledAt,
                removed);
    }

    /// The same row with the certificate that was just issued to it.
    WorkerRow withCertificate(byte[] issued) {
        return new WorkerRow(
                id,
                name,
                group,
                labels,
                hosts,
                namespaces,
                state,
                generation,
                keyHash,
                issued,
                blockedReason,
                joinToken,
                enrolledAt,
                removed);
    }

    WorkerRow asRemoved() {
        return new WorkerRow(
                id,
                name,
                group,
                labels,
                hosts,
                namespaces,
                State.BLOCKED,
                generation,
                keyHash,
                certificate,
                "removed",
                joinToken,
                enrolledAt,
                true);
    }

    /// What its seal covers: all that confers power.
    byte[] sealed() {
        return SealedBytes.fields(
                id,
                name,
                group,
                labels,
                hosts,
                namespaces,
                state,
                generation,
                keyHash,
                CertificateRequest.hash(certificate),
                joinToken,
                removed);
    }
}
