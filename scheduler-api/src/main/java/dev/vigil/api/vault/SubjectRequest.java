package dev.vigil.api.vault;

import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A request of a data subject, as the vault has seen it asked for and approved.
///
/// @param id          given by gdpr-service
/// @param kind        what is asked
/// @param namespace   number of the namespace that the requester lives in
/// @param everywhere  whether it is about all namespaces: an admin asked
/// @param keyId       the subject's data key in that namespace
/// @param subject     who it is about, sealed under that key
/// @param requestedBy who asked
/// @param approvedBy  who approved; null while nobody did
/// @param closed      rejected, done or expired: nothing is opened or erased for it any more
/// @param doneEvent   the audit event of the finished erasure; null before
record SubjectRequest(
        UUID id,
        Kind kind,
        int namespace,
        boolean everywhere,
        UUID keyId,
        byte[] subject,
        UUID requestedBy,
        @Nullable UUID approvedBy,
        boolean closed,
        @Nullable UUID doneEvent) {
    /// What is asked.
    enum Kind {
        ACCESS,
        ERASURE;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Where its own records are sealed: the subject's name, and the export under version 2.
    Place place(int version) {
        return new Place(id, namespace, version, "gdpr.request");
    }

    SubjectRequest approved(UUID by) {
        return new SubjectRequest(id, kind, namespace, everywhere, keyId, subject, requestedBy, by, closed, doneEvent);
    }

    SubjectRequest ended(@Nullable UUID event) {
        return new SubjectRequest(
                id, kind, namespace, everywhere, keyId, subject, requestedBy, approvedBy, true, event);
    }

    /// What its seal covers.
    byte[] sealed() {
        return SealedBytes.fields(
                id, kind, namespace, everywhere, keyId, subject, requestedBy, approvedBy, closed, doneEvent);
    }
}
