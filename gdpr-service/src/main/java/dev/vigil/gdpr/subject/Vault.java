package dev.vigil.gdpr.subject;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What is asked of the API, which keeps the keys: this service holds none. Every call but `ready` may throw
/// [dev.vigil.edge.RefusedException] with what the API refused, or 503 when it does not answer.
public interface Vault {
    /// Whether this service has a certificate to ask with.
    boolean ready();

    /// What a request about that subject would be about.
    ///
    /// @param token of the person who asks
    Known find(String subject, String token);

    /// Says that a person asks. From then on the request may be worked on; an erasure needs an approval first.
    ///
    /// @param token of the person who asks
    /// @return the subject's blind indexes in hexadecimal, one for each namespace concerned
    List<String> register(Enquiry enquiry, String token);

    /// Says that another person approves.
    ///
    /// @param token of that person
    void approve(UUID request, String token);

    /// Gives a request up: nothing is opened or erased for it any more.
    void close(UUID request);

    /// A page of the subject's tasks, payloads opened.
    ///
    /// @param after where the page before ended; null for the first
    /// @return empty when the subject was erased since
    Optional<Tasks> tasks(UUID request, @Nullable String after);

    /// A page of what stands for the subject's data in payloads, with the values.
    ///
    /// @param after where the page before ended; null for the first
    /// @return empty when the subject was erased since
    Optional<Tokens> tokens(UUID request, @Nullable String after);

    /// The subject's account with its keys and sign-ins.
    ///
    /// @return empty when the subject was erased since
    Optional<Account> account(UUID request);

    /// A page of one task's executions, results opened.
    Part executions(UUID request, String task, @Nullable String after);

    /// The key of the request's export, 32 bytes; empty when the subject was erased since.
    Optional<byte[]> exportKey(UUID request);

    /// Goes on with an erasure, as far as possible.
    Erasure erase(UUID request);

    /// A short-lived token for audit-service.
    String auditToken();

    /// What is asked, and about whom.
    ///
    /// @param kind `access` or `erasure`
    record Enquiry(UUID request, String kind, String subject) {
        @Override
        public String toString() {
            return "Enquiry[" + request + ", " + kind + "]";
        }
    }

    /// What there is about a subject.
    ///
    /// @param tasks   how many tasks of his are stored
    /// @param account whether he is a user with an account
    /// @param indexes his blind indexes in hexadecimal, one for each namespace concerned
    record Known(long tasks, boolean account, List<String> indexes) {
        public Known {
            indexes = List.copyOf(indexes);
        }
    }

    /// A page of items.
    ///
    /// @param next where the next page begins; null at the end
    record Part(List<JsonNode> items, @Nullable String next) {}

    /// A page of tasks.
    ///
    /// @param subject his name
    /// @param eventId the audit event of this page
    record Tasks(String subject, String eventId, Part part) {}

    /// A page of PII tokens.
    ///
    /// @param eventId the audit event of this page
    record Tokens(String eventId, Part part) {}

    /// What there is about an account.
    ///
    /// @param eventId the audit event of the look
    /// @param found   one item, or none when the subject has no account
    record Account(String eventId, List<JsonNode> found) {}

    /// How far an erasure is.
    ///
    /// @param done       everything is gone and was seen to be
    /// @param tasks      tasks erased
    /// @param executions executions of theirs that were made anonymous
    /// @param remaining  tasks whose owners have not carried it out yet
    /// @param keys       ids of the keys destroyed
    /// @param tried      sealed payloads that were tried afterwards and did not open
    /// @param eventId    the audit event of its end; empty before
    record Erasure(
            boolean done, int tasks, int executions, long remaining, List<String> keys, int tried, String eventId) {}
}
