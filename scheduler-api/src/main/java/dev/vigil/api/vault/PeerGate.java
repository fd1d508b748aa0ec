package dev.vigil.api.vault;

import dev.vigil.api.web.Call;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.ProblemException;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Optional;

/// Who calls on the worker port: the connection has verified the certificate against the CA, the registry says whether
/// it still counts. Read from the database for every call, so a block is in force with its commit.
final class PeerGate {
    private final VaultStore store;
    private final Workers workers;
    private final String domain;

    PeerGate(VaultStore store, Workers workers, String domain) {
        this.store = store;
        this.workers = workers;
        this.domain = domain;
    }

    /// The calling worker.
    ///
    /// @throws ProblemException 401 that says why it is refused
    WorkerRow worker(Call call) {
        WorkerRow peer = admitted(call);
        if (peer.isService()) {
            throw refused("it is one of a service, and this call is for workers", peer);
        }
        return peer;
    }

    /// The calling service.
    ///
    /// @throws ProblemException 401 that says why it is refused
    WorkerRow service(Call call, String name) {
        WorkerRow peer = admitted(call);
        if (!peer.isService() || !peer.serviceName().equals(name)) {
            throw refused("this call is for service " + name + " only", peer);
        }
        return peer;
    }

    private WorkerRow admitted(Call call) {
        X509Certificate certificate = call.certificate()
                .orElseThrow(() -> new ProblemException(
                        Code.CERTIFICATE_REQUIRED, "This call needs the certificate of an enrolled worker."));
        // A connection outlives a short certificate; what it showed at its start must still be valid now.
        if (certificate.getNotAfter().toInstant().isBefore(store.time().instant())) {
            throw refused("it ended at " + certificate.getNotAfter().toInstant() + "; renew or enrol again");
        }
        PeerCertificate shown = PeerCertificate.of(certificate, domain)
                .orElseThrow(() -> refused("it is not one of a worker or service of this installation"));
        Optional<WorkerRow> row = workers.find(shown.row());
        if (row.isEmpty() || !row.get().spiffeId(domain).equals(shown.holder())) {
            throw refused("the registry does not know it; enrol with a new join token");
        }
        WorkerRow peer = row.get();
        if (peer.removed() || peer.state() == WorkerRow.State.BLOCKED) {
            throw refused("the worker is blocked (" + peer.blockedReason() + "); an operator can unblock it", peer);
        }
        boolean current = shown.generation() == peer.generation() && Arrays.equals(shown.keyHash(), peer.keyHash());
        if (!current && shown.generation() != peer.generation() - 1) {
            throw refused(
                    "it is generation " + shown.generation() + ", the registry has " + peer.generation()
                            + "; enrol with a new join token",
                    peer);
        }
        return peer;
    }

    private ProblemException refused(String why, WorkerRow peer) {
        store.events()
                .appendAlone(store.events()
                        .event(EventType.AUTHENTICATION, "worker_certificate", Result.DENIED)
                        .worker(peer.id())
                        .with("state", peer.state().label()));
        return refused(why);
    }

    private static ProblemException refused(String why) {
        return new ProblemException(Code.CERTIFICATE_REFUSED, "The client certificate is refused: " + why + ".");
    }
}
