package dev.vigil.api.vault;

import dev.vigil.api.web.Outbox;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/// Writes the vault's audit events.
final class VaultEvents {
    private static final Duration REPORT_EVERY = Duration.ofMinutes(1);

    private final ExpiringKeys<String, String> reported = new ExpiringKeys<>(1000);
    private final Outbox outbox;
    private final InstantSource time;
    private final TransactionTemplate alone;

    VaultEvents(Outbox outbox, PlatformTransactionManager transactions, InstantSource time) {
        this.outbox = outbox;
        this.time = time;
        alone = new TransactionTemplate(transactions);
        alone.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    }

    /// An event that happens now.
    AuditEvent event(EventType type, String action, Result result) {
        return AuditEvent.of(type, action, result, time.instant());
    }

    /// In the caller's transaction: no event, no change.
    void append(AuditEvent... events) {
        outbox.append(List.of(events));
    }

    /// In a transaction of its own, for refusals and failures that must stay on record when the caller rolls back.
    void appendAlone(AuditEvent... events) {
        alone.executeWithoutResult(_ -> append(events));
    }

    /// A row whose seal is broken: it was written by SQL, not by the vault. It is refused each time it is read, and
    /// recorded at most once a minute.
    void brokenRow(String table, String id) {
        Instant now = time.instant();
        if (reported.get(table + "/" + id, now).isEmpty()) {
            reported.put(table + "/" + id, table, now.plus(REPORT_EVERY));
            appendAlone(event(EventType.AUTHORIZATION_FAILURE, "load_row", Result.DENIED)
                    .with("row", table + "/" + id)
                    .with("reason", "row_seal_broken"));
        }
    }
}
