package dev.vigil.gdpr.subject;

import java.util.List;
import tools.jackson.databind.JsonNode;

/// What is asked of audit-service.
public interface AuditTrail {
    /// Every event that a filter passes, oldest first, at most `max`.
    ///
    /// @param filter `subject` or `task_id`
    List<JsonNode> events(String token, String filter, String value, int max);

    /// Whether an event is covered by a signed checkpoint.
    ///
    /// @param eventId `aud_…`
    boolean listed(String token, String eventId);
}
