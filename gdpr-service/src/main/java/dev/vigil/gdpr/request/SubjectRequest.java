package dev.vigil.gdpr.request;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A request of a data subject. It does not name him.
///
/// @param id          its id
/// @param kind        what is asked
/// @param state       how far it is
/// @param namespace   number of the namespace that the requester lives in
/// @param everywhere  whether it is about all namespaces
/// @param reason      why it is asked, in the requester's words
/// @param indexes     the subject's blind indexes
/// @param requested   who asked, and when
/// @param dueAt       when it must be answered
/// @param approved    who approved, and when; null while nobody did
/// @param endedAt     when it ended; null before
/// @param detail      what is the matter; null when nothing is
/// @param outcome     what it brought
/// @param expiresAt   until when its export can be fetched; null before there is one
/// @param extension   why it may take longer; null while it need not
record SubjectRequest(
        UUID id,
        Kinds kind,
        State state,
        int namespace,
        boolean everywhere,
        String reason,
        List<String> indexes,
        Act requested,
        Instant dueAt,
        @Nullable Act approved,
        @Nullable Instant endedAt,
        @Nullable String detail,
        Outcome outcome,
        @Nullable Instant expiresAt,
        @Nullable Extension extension) {
    SubjectRequest {
        indexes = List.copyOf(indexes);
    }

    /// What is asked.
    enum Kinds {
        ACCESS,
        ERASURE;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// How far a request is.
    enum State {
        RECEIVED,
        AWAITING_APPROVAL,
        RUNNING,
        PARTIAL,
        HELD,
        REJECTED,
        DONE;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Who did something, and when.
    record Act(UUID by, Instant at) {}

    /// Why a request may take longer than a month.
    record Extension(Act act, String reason) {}

    /// What a request brought.
    ///
    /// @param tasks      tasks exported or erased; null while that is not known
    /// @param executions the same
    /// @param events     audit events that must be listed before it is done
    /// @param complete   whether the export holds everything
    /// @param produced   whether export or certificate is stored
    record Outcome(
            @Nullable Integer tasks,
            @Nullable Integer executions,
            List<UUID> events,
            boolean complete,
            boolean produced) {
        Outcome {
            events = List.copyOf(events);
        }
    }

    String publicId() {
        return new Id(Kind.SUBJECT_REQUEST, id).toString();
    }

    /// As clients see it.
    Map<String, @Nullable Object> view() {
        Map<String, @Nullable Object> view = new LinkedHashMap<>();
        view.put("id", publicId());
        view.put("kind", kind.label());
        view.put("state", state.label());
        view.put("reason", reason);
        view.put("requested_by", user(requested));
        view.put("requested_at", requested.at().toString());
        view.put("due_at", dueAt.toString());
        view.put("approved_by", approved == null ? null : user(approved));
        view.put("approved_at", approved == null ? null : approved.at().toString());
        view.put("extended_at", extension == null ? null : extension.act().at().toString());
        view.put("extension_reason", extension == null ? null : extension.reason());
        view.put("ended_at", endedAt == null ? null : endedAt.toString());
        view.put("detail", detail);
        view.put("tasks", outcome.tasks());
        view.put("executions", outcome.executions());
        view.put("expires_at", expiresAt == null ? null : expiresAt.toString());
        return view;
    }

    private static String user(Act act) {
        return new Id(Kind.USER, act.by()).toString();
    }
}
