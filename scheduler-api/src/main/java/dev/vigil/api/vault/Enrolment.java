package dev.vigil.api.vault;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.UuidV7;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/// How workers and services come by their certificates: with a join token, and then with the certificate they have.
final class Enrolment {
    private final VaultStore store;
    private final Workers workers;
    private final JoinTokens tokens;
    private final Authority authority;
    private final VaultSettings settings;

    Enrolment(Registry registry, Authority authority, VaultSettings settings) {
        this.store = registry.store();
        this.workers = registry.workers();
        this.tokens = registry.tokens();
        this.authority = authority;
        this.settings = settings;
    }

    /// The tables that this works on.
    record Registry(VaultStore store, Workers workers, JoinTokens tokens) {}

    /// What an enrolment gave.
    sealed interface Enrolled {
        record Admitted(WorkerRow worker, Authority.Issued certificate) implements Enrolled {}

        record Refused(JoinTokens.Redeemed why) implements Enrolled {}
    }

    /// What a renewal gave.
    sealed interface Renewed {
        record Issued(WorkerRow worker, Authority.Issued certificate) implements Renewed {}

        /// The certificate is not, or no longer, one of the registry's.
        record Refused(String why) implements Renewed {}

        /// Two hold certificates of this worker: it is blocked now.
        record Locked(UUID worker) implements Renewed {}
    }

    /// Admits a worker, or a service when the token is one for a service.
    ///
    /// @param address where the call came from
    Enrolled enrol(String token, CertificateRequest request, String name, String address) {
        Enrolled outcome = store.transactions().execute(_ -> {
            JoinTokens.Redeemed redeemed = tokens.redeem(token, address);
            if (redeemed instanceof JoinTokens.Redeemed.Granted(UUID tokenId, JoinTokens.Grant grant)) {
                return admit(new Invitation(tokenId, grant, address), request, name);
            }
            return new Enrolled.Refused(redeemed);
        });
        if (outcome instanceof Enrolled.Refused(JoinTokens.Redeemed why)) {
            // The refusal itself is an event before it is an answer.
            store.events()
                    .appendAlone(store.events()
                            .event(EventType.AUTHENTICATION, "enrol", Result.DENIED)
                            .with("reason", reason(why))
                            .with("ip_address", address));
        }
        return Objects.requireNonNull(outcome);
    }

    private record Invitation(UUID token, JoinTokens.Grant grant, String address) {}

    private Enrolled admit(Invitation invitation, CertificateRequest request, String name) {
        JoinTokens.Grant grant = invitation.grant();
        UUID id = UuidV7.next();
        var draft = new WorkerRow(
                id,
                name,
                grant.group(),
                grant.labels(),
                grant.hosts(),
                null,
                WorkerRow.State.ACTIVE,
                1,
                request.keyHash(),
                new byte[0],
                null,
                invitation.token(),
                store.time().instant(),
                false);
        Authority.Issued issued = authority.issue(draft.subject(authority.domain(), 1), request.key(), life(draft));
        WorkerRow worker = draft.withCertificate(encoded(issued.leaf()));
        workers.insert(worker);
        store.events()
                .append(store.events()
                        .event(EventType.WORKER_REGISTERED, "enrol", Result.SUCCESS)
                        .worker(id)
                        .with("group", grant.group())
                        .with("ip_address", invitation.address()));
        return new Enrolled.Admitted(worker, issued);
    }

    /// Renews a certificate. The worker stores its new key before it asks, so after a lost reply it asks again with the
    /// same key and gets the same certificate; an older certificate with any other key means that two hold one.
    ///
    /// @param presented the certificate of the connection, verified against the CA
    Renewed renew(X509Certificate presented, CertificateRequest request) {
        Optional<PeerCertificate> shown = PeerCertificate.of(presented, authority.domain());
        if (shown.isEmpty()) {
            return new Renewed.Refused("it is not one of a worker or service of this installation");
        }
        return Objects.requireNonNull(store.transactions().execute(_ -> {
            Optional<WorkerRow> held = workers.hold(shown.get().row());
            return held.isPresent()
                    ? renew(held.get(), shown.get(), request)
                    : new Renewed.Refused("the registry does not know it");
        }));
    }

    private Renewed renew(WorkerRow worker, PeerCertificate shown, CertificateRequest request) {
        if (worker.removed() || worker.state() == WorkerRow.State.BLOCKED) {
            return new Renewed.Refused("the worker is blocked (" + worker.blockedReason() + ")");
        }
        if (!shown.holder().equals(worker.spiffeId(authority.domain())) || shown.generation() > worker.generation()) {
            return new Renewed.Refused("the registry did not issue it");
        }
        boolean current = shown.generation() == worker.generation();
        if (current && Arrays.equals(shown.keyHash(), worker.keyHash())) {
            Authority.Issued issued = authority.issue(
                    worker.subject(authority.domain(), worker.generation() + 1), request.key(), life(worker));
            WorkerRow renewed = worker.renewed(request.keyHash(), encoded(issued.leaf()));
            workers.update(renewed);
            store.events()
                    .append(event(EventType.KEY_ROTATED, "renew_certificate", Result.SUCCESS, worker)
                            .with("generation", (long) renewed.generation()));
            return new Renewed.Issued(renewed, issued);
        }
        if (!current
                && shown.generation() == worker.generation() - 1
                && Arrays.equals(request.keyHash(), worker.keyHash())) {
            return new Renewed.Issued(
                    worker, new Authority.Issued(Authority.certificate(worker.certificate()), authority.certificate()));
        }
        workers.update(worker.with(WorkerRow.State.BLOCKED, "two hold certificates of this worker"));
        store.events()
                .append(event(EventType.WORKER_BLOCKED, "clone_seen", Result.SUCCESS, worker)
                        .with("generation", (long) shown.generation()));
        return new Renewed.Locked(worker.id());
    }

    private AuditEvent event(EventType type, String action, Result result, WorkerRow worker) {
        return store.events().event(type, action, result).worker(worker.id());
    }

    private Duration life(WorkerRow worker) {
        return worker.isService() ? settings.serverCertificateLife() : settings.workerCertificateLife();
    }

    private static String reason(JoinTokens.Redeemed why) {
        return switch (why) {
            case JoinTokens.Redeemed.Invalid(String reason) -> "join_token_" + reason;
            case JoinTokens.Redeemed.Expired _ -> "join_token_expired";
            case JoinTokens.Redeemed.Used _ -> "join_token_used";
            case JoinTokens.Redeemed.Granted _ -> throw new IllegalStateException("a granted token is no refusal");
        };
    }

    private static byte[] encoded(X509Certificate certificate) {
        try {
            return certificate.getEncoded();
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException(e);
        }
    }
}
